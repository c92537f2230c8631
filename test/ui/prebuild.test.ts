import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { ADMIN_TOKEN, makeRig, type Rig, TARGET } from '../http/rig.ts'
import { sha256, type SyntheticFile } from '../synthetic-upstream.ts'
import { hidden, rows, type Shown, textOf, visitor, type Visitor } from './visitor.ts'

const OTHER = 'cp314-musllinux_1_2_x86_64'
const file = (filename: string): SyntheticFile => ({ filename, bytes: Buffer.from(filename) })

let rig: Rig
let person: Visitor

beforeEach(async () => {
  rig = await makeRig({ ui: true, targets: [TARGET, OTHER] })
  person = visitor(rig)
  rig.upstream.project('crcmod', [file('crcmod-1.7.tar.gz')])
  rig.upstream.project('cffi', [file('cffi-1.17.1.tar.gz')])
  rig.upstream.project('idna', [file('idna-3.7-py3-none-any.whl'), file('idna-3.7.tar.gz')])
  rig.upstream.project('glibconly', [file('glibconly-1.0-cp313-cp313-manylinux_2_17_x86_64.whl')])
  await rig.ready()
})
afterEach(() => rig.close())

const REQUIREMENTS = 'crcmod==1.7\ncffi==1.17.1\nidna==3.7\nglibconly==1.0\n'
const CRCMOD = `crcmod|1.7|${TARGET}`
const CFFI = `cffi|1.17.1|${TARGET}`

async function plan(text = REQUIREMENTS): Promise<Shown> {
  return person.post('/ui/prebuild', { text, target: TARGET })
}

const checked = (page: string): string[] => [...page.matchAll(/name="only" value="([^"]*)"[^>]* checked/g)].map(([, value]) => value!)
const verdicts = (page: string): Record<string, string> => Object.fromEntries(rows(page, 'data-verdict').map(({ attributes }) => [attributes['data-project']!, attributes['data-verdict']!]))
const states = (page: string): Record<string, string> => Object.fromEntries(rows(page, 'data-state').map(({ attributes }) => [attributes['data-project']!, attributes['data-state']!]))

describe('the form', () => {
  test('offers the targets that can be built for, checked, and tells of none before', async () => {
    const { status, text } = await person.get('/ui/prebuild')
    expect(status).toBe(200)
    expect([...text.matchAll(/name="target" value="([^"]*)" checked/g)].map(([, name]) => name)).toEqual([TARGET])
    expect(text).not.toContain(`value="${OTHER}"`)
    expect(text).toContain('None yet.')
  })

  test('keeps what was sent where it cannot be planned, and lists every bad line', async () => {
    const sent = 'crcmod>=1\nidna==3.7\n</textarea><script>alert(1)</script>\n'
    const { status, text } = await plan(sent)
    expect(status).toBe(400)
    expect(text).toMatch(/<textarea[^>]*>\ncrcmod&#62;=1&#10;idna==3.7&#10;&#60;\/textarea&#62;&#60;script&#62;/)
    const problem = /<div[^>]* id="problem">.*?<\/div>/s.exec(text)![0]
    expect([...problem.matchAll(/<li>(.*?)<\/li>/g)].map(([, line]) => textOf(line!))).toEqual([
      expect.stringMatching(/line 1: crcmod>=1 is not pinned/), expect.stringMatching(/^line 3: /),
    ])
    expect(text).not.toContain('<script>alert')
  })

  test('has something to plan, or says so', async () => {
    const { status, text } = await person.post('/ui/prebuild', { text: ' \n' })
    expect(status).toBe(400)
    expect(textOf(text)).toContain('there is nothing to plan yet')
  })

  test('gives files back that it cannot put into the file input again', async () => {
    const form = new FormData()
    form.append('text', 'crcmod>=1')
    form.append('files', new File(['idna==3.7\n'], 'base.txt'))
    const refused = await person.post('/ui/prebuild', form)
    expect(refused.status).toBe(400)
    const kept = /name="kept" value="([^"]*)" checked/.exec(refused.text)![1]!.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    expect(JSON.parse(kept)).toEqual({ name: 'base.txt', text: 'idna==3.7\n', form: 'utf-8' })
    const { status, text } = await person.post('/ui/prebuild', { text: 'crcmod==1.7', kept, target: TARGET })
    expect(status).toBe(200)
    expect(verdicts(text)).toEqual({ crcmod: 'would-build', idna: 'upstream-wheel' })
    expect(rows(text, 'data-verdict').find(({ attributes }) => attributes['data-project'] === 'idna')?.text).toContain('base.txt, line 1')
  })

  test('takes files alone, of any kind by their names or their content', async () => {
    const form = new FormData()
    form.append('files', new File(['lock-version = "1.0"\ncreated-by = "a test"\n\n[[packages]]\nname = "crcmod"\nversion = "1.7"\nindex = "https://upstream.example/simple/"\n[packages.sdist]\nname = "crcmod-1.7.tar.gz"\nurl = "https://upstream.example/crcmod-1.7.tar.gz"\nhashes = { sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }\n'], 'pylock.toml'))
    form.append('target', TARGET)
    const { status, text } = await person.post('/ui/prebuild', form)
    expect(status).toBe(200)
    // The lock takes other bytes than the upstream has.
    expect(verdicts(text)).toEqual({ crcmod: 'cannot' })
  })

  test('says which target it does not know', async () => {
    const { status, text } = await person.post('/ui/prebuild', { text: 'crcmod==1.7', target: 'cp39-musllinux_1_2_x86_64' })
    expect(status).toBe(404)
    expect(textOf(text)).toContain('cp39-musllinux_1_2_x86_64 is no configured target')
  })
})

describe('the plan', () => {
  test('tells each release and target, and what is there to decide first', async () => {
    const { status, text } = await plan()
    expect(status).toBe(200)
    expect(rows(text, 'data-verdict').map(({ attributes }) => [attributes['data-project'], attributes['data-target'], attributes['data-verdict']])).toEqual([
      ['crcmod', TARGET, 'would-build'], ['cffi', TARGET, 'would-build'], ['glibconly', TARGET, 'cannot'], ['idna', TARGET, 'upstream-wheel'],
    ])
    const told = Object.fromEntries(rows(text, 'data-verdict').map((row) => [row.attributes['data-project'], row.text]))
    expect(told['crcmod']).toMatch(/line 1 .*would build crcmod-1\.7-1-cp313-cp313-musllinux_1_2_x86_64\.whl about \d/)
    expect(told['idna']).toContain('idna-3.7-py3-none-any.whl')
    expect(told['glibconly']).toMatch(/cannot .*no sdist/)
    expect(checked(text)).toEqual([CRCMOD, CFFI])
    expect(textOf(/<ul class="figures"[^>]*>.*?<\/ul>/s.exec(text)![0])).toMatch(/^Upstream wheels 1 .*Built here 0 .*Would be built 2 in about .* Cannot be had 1/)
  })

  test('starts and keeps nothing', async () => {
    await plan()
    expect(await rig.store.jobs.list()).toEqual([])
    expect(await rig.store.prebuilds.list(10)).toEqual([])
  })

  test('shows a release that two files pin once', async () => {
    const form = new FormData()
    for (const name of ['one.txt', 'two.txt']) form.append('files', new File(['crcmod==1.7\n'], name))
    form.append('target', TARGET)
    const { text } = await person.post('/ui/prebuild', form)
    expect(rows(text, 'data-verdict').map((row) => row.text)).toEqual([expect.stringMatching(/one\.txt, line 1 two\.txt, line 1/)])
  })

  test('goes back to its form with everything in it', async () => {
    const { text } = await plan('crcmod==1.7\n')
    const { status, text: again } = await person.post('/ui/prebuild', { form: hidden(text, 'form'), change: 'yes' })
    expect(status).toBe(200)
    expect(again).toMatch(/<textarea[^>]*>\ncrcmod==1\.7&#10;<\/textarea>/)
  })

  test('offers what failed before to be tried again, unchecked', async () => {
    const csrf = await person.login()
    const form = hidden((await plan()).text, 'form')
    await person.post('/ui/prebuilds', { form, csrf, only: CFFI })
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'ffi.h' })
    const { text } = await plan()
    expect(verdicts(text)['cffi']).toBe('cannot')
    expect(rows(text, 'data-verdict').find(({ attributes }) => attributes['data-project'] === 'cffi')?.text).toMatch(/needs header ffi\.h .*tried again/)
    expect(checked(text)).toEqual([CRCMOD])
    expect(text).toContain(`value="${CFFI}"`)
    const { headers } = await person.post('/ui/prebuilds', { form, csrf, only: CFFI })
    expect(headers.get('location')).toBe('../ui/prebuilds/2')
    expect(await rig.store.jobs.count('queued')).toBe(1)
  })
})

describe('the lock with our hashes', () => {
  const locked = (end = '\n', more = '') => `crcmod==1.7 \\${end}    ${more}--hash=sha256:${sha256('crcmod-1.7.tar.gz')}${end}`
  const section = (page: string) => textOf(/<section[^>]* id="hashes">.*?<\/section>/s.exec(page)?.[0] ?? '')
  const uploaded = (name: string, content: string | Buffer) => {
    const form = new FormData()
    form.append('files', new File([content as BlobPart], name))
    form.append('target', TARGET)
    return person.post('/ui/prebuild', form)
  }
  async function build(): Promise<string> {
    await rig.store.jobs.wish({ kind: 'build', project: 'crcmod', version: '1.7', target: TARGET, sdist: { sha256: sha256('crcmod-1.7.tar.gz'), filename: 'crcmod-1.7.tar.gz' }, recipe: '', image: 'image-1', priority: PRIORITY.asked, askedBy: 'admin' }, rig.clock.now())
    await rig.publish(await rig.claim(), Buffer.from('the wheel'), 'Metadata-Version: 2.1\nName: crcmod\nVersion: 1.7\n')
    return `--hash=sha256:${sha256('the wheel')} \\`
  }

  test('is told of before it can be had, downloaded once it can, and complete then', async () => {
    expect(section((await plan(locked())).text)).toContain('1 more is to be built: then make the plan again, and its hash is there too.')
    const added = await build()
    const { text } = await plan(locked())
    expect(section(text)).toMatch(/Download pasted text \(1 hash added\)/)
    const { status, headers, text: lock } = await person.post('/ui/lock-hashes', { form: hidden(text, 'form'), lock: '0' })
    expect([status, headers.get('content-disposition'), headers.get('content-type')]).toEqual([200, 'attachment; filename="requirements.txt"', 'application/octet-stream'])
    expect(lock).toBe(locked('\n', `${added}\n    `))
    expect(section((await plan(lock)).text)).toBe('Hashes of our wheels The lock names all that we have built.')
  })

  test('has the name and every byte of the file that was sent', async () => {
    const added = await build()
    const bytes = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')
    const { text } = await uploaded('locked.txt', bytes(locked('\r\n')))
    const answer = await fetch(new URL('/ui/lock-hashes', rig.url), { method: 'POST', body: new URLSearchParams({ form: hidden(text, 'form'), lock: '0' }) })
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="locked.txt"')
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes(locked('\r\n', `${added}\r\n    `)))
  })

  const together = (...files: [name: string, content: string][]) => {
    const form = new FormData()
    for (const [name, content] of files) form.append('files', new File([content], name))
    form.append('target', TARGET)
    form.append('extras', 'x, y')
    return person.post('/ui/prebuild', form)
  }

  test('is offered beside a file without hashes, which is told', async () => {
    await build()
    const { text } = await together(['plain.txt', 'crcmod==1.7\n'], ['my lock.txt', locked()])
    expect(section(text)).toContain('plain.txt: it has no hashes, so none is missing')
    expect(section(text)).toMatch(/Download my lock\.txt \(1 hash added\)/)
    expect(section(text)).not.toContain('Download plain.txt')
    expect(section(text)).toContain(`On the command line: muslin lock-hashes --target ${TARGET} --extra x --extra y 'my lock.txt'`)
  })

  test('is for the command line where it has a name there', async () => {
    await build()
    expect(section((await plan(locked())).text)).not.toContain('On the command line')
  })

  test('says what keeps it from being made, under the plan', async () => {
    await build()
    const { status, text } = await together(['a.txt', locked()], ['a.txt', locked()])
    expect([status, verdicts(text)]).toEqual([200, { crcmod: 'built' }])
    expect(section(text)).toMatch(/two files have the name a\.txt; give them one by one/)
    expect([...text.matchAll(/ id="problem"/g)]).toEqual([])
  })

  test('is not offered where there are no hashes, and refused', async () => {
    const { text } = await plan('crcmod==1.7\n')
    expect(section(text)).toBe('')
    const refused = await person.post('/ui/lock-hashes', { form: hidden(text, 'form'), lock: '0' })
    expect([refused.status, textOf(refused.text)]).toEqual([400, expect.stringContaining('it has no hashes')])
    for (const lock of ['7', 'x', '-1']) expect((await person.post('/ui/lock-hashes', { form: hidden((await plan(locked())).text, 'form'), lock })).status).toBe(400)
  })
})

describe('building', () => {
  test('needs a login, which the plan\'s own form does, and nothing is lost by a wrong token', async () => {
    const form = hidden((await plan()).text, 'form')
    const wrong = await person.post('/ui/prebuilds', { form, only: CFFI, token: 'wrong' })
    expect(wrong.status).toBe(401)
    expect(textOf(wrong.text)).toContain('this is not the admin\'s token')
    expect(checked(wrong.text)).toEqual([CFFI])
    expect(hidden(wrong.text, 'form')).toBe(form)
    expect(await rig.store.jobs.list()).toEqual([])

    const { status, headers } = await person.post('/ui/prebuilds', { form, only: CFFI, token: ADMIN_TOKEN })
    expect([status, headers.get('location')]).toEqual([303, '../ui/prebuilds/1'])
    expect((await rig.store.jobs.list()).map(({ project, askedBy }) => [project, askedBy])).toEqual([['cffi', 'admin']])
    expect((await person.get('/ui/prebuild')).text).toContain('Log out')
  })

  test('goes on after a session that ended meanwhile', async () => {
    const form = hidden((await plan()).text, 'form')
    const { status, text } = await person.post('/ui/prebuilds', { form, csrf: 'of an older session', only: CFFI })
    expect(status).toBe(401)
    expect(text).toContain('name="token"')
    expect(checked(text)).toEqual([CFFI])
  })

  test('refuses a form without the session\'s token', async () => {
    await person.login()
    const form = hidden((await plan()).text, 'form')
    expect((await person.post('/ui/prebuilds', { form, only: CFFI })).status).toBe(403)
    expect((await person.post('/ui/prebuilds', { form, only: CFFI, csrf: 'guessed' })).status).toBe(403)
    expect(await rig.store.jobs.list()).toEqual([])
  })

  test('wants something checked, and what the plan has', async () => {
    const csrf = await person.login()
    const form = hidden((await plan()).text, 'form')
    const none = await person.post('/ui/prebuilds', { form, csrf })
    expect([none.status, checked(none.text)]).toEqual([400, []])
    expect(textOf(none.text)).toContain('nothing is checked')
    const other = await person.post('/ui/prebuilds', { form, csrf, only: `other|1.0|${TARGET}` })
    expect([other.status, textOf(other.text)]).toEqual([400, expect.stringContaining(`other 1.0 for ${TARGET} was chosen, but the plan has it no more`)])
    const broken = await person.post('/ui/prebuilds', { form, csrf, only: 'x' })
    expect([broken.status, textOf(broken.text)]).toEqual([400, expect.stringMatching(/the form came incomplete; make the plan again/i)])
    expect((await person.post('/ui/prebuilds', { form: '{"text":1}', csrf, only: CFFI })).status).toBe(400)
    expect((await person.post('/ui/prebuilds', { csrf, only: CFFI })).status).toBe(400)
    expect(await rig.store.prebuilds.list(10)).toEqual([])
  })

  test('tells why nothing is built where the builder left meanwhile', async () => {
    const csrf = await person.login()
    const form = hidden((await plan()).text, 'form')
    await rig.store.workers.beat('worker', {}, rig.clock.now())
    expect((await person.post('/ui/prebuilds', { form, csrf, only: CFFI })).status).toBe(303)
    const { text } = await person.get('/ui/prebuilds/1')
    expect(textOf(text)).toContain('3 cannot be had, and nothing was to be built.')
    expect(rows(text, 'data-state').find(({ attributes }) => attributes['data-project'] === 'cffi')?.text).toMatch(/cannot .*builder/)
  })
})

describe('a prebuild', () => {
  async function started(only: string[]): Promise<string> {
    const csrf = await person.login()
    await person.post('/ui/prebuilds', { form: hidden((await plan()).text, 'form'), csrf, only })
    return csrf
  }

  test('is told as it goes, to whoever looks, until it is finished', async () => {
    await started([CRCMOD, CFFI])
    const first = await person.get('/ui/prebuilds/1')
    expect(states(first.text)).toEqual({ crcmod: 'queued', cffi: 'queued', glibconly: 'cannot', idna: 'had' })
    expect(first.text).toContain('<progress max="2" value="0"')
    expect(first.text).toContain('http-equiv="refresh"')
    expect(textOf(first.text)).toMatch(/0 of 2 builds done, about .* left/)
    expect((await visitor(rig).get('/ui/prebuilds/1')).text.match(/<div id="prebuild".*?<\/table>/s)![0]).toBe(first.text.match(/<div id="prebuild".*?<\/table>/s)![0])

    const one = await rig.claim()
    expect(states((await person.get('/ui/prebuilds/1')).text)[one.project]).toBe('running')
    await rig.publish(one, Buffer.from('wheel'), 'Metadata-Version: 2.1\n')
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'ffi.h' })
    const last = await person.get('/ui/prebuilds/1')
    expect(states(last.text)).toEqual({ crcmod: 'built', cffi: 'failed', glibconly: 'cannot', idna: 'had' })
    expect(rows(last.text, 'data-state')[0]).toMatchObject({ attributes: { 'data-project': 'cffi' }, text: expect.stringMatching(/needs header ffi\.h add the apk libffi-dev .*Job 2 Retry/) })
    expect(textOf(last.text)).toContain('1 of 2 builds succeeded.')
    expect(last.text).not.toContain('http-equiv="refresh"')
  })

  test('says plainly what cannot be had, and is not done with it', async () => {
    await started([CRCMOD])
    await rig.publish(await rig.claim(), Buffer.from('wheel'), 'Metadata-Version: 2.1\n')
    const panel = async (id: number) => textOf(/<div class="panel progress-panel">.*?<\/div>/s.exec((await person.get(`/ui/prebuilds/${id}`)).text)![0])
    expect(await panel(1)).toBe('The build succeeded. 1 cannot be had')
    const lines = (await rig.store.prebuilds.get(1))!.lines.map((line) => ({ ...line, job: undefined }))
    const keep = (verdicts: string[]) => rig.store.prebuilds.create({ createdAt: 0, askedBy: 'admin', name: 'x', targets: [TARGET], lines: lines.filter(({ plan: { verdict } }) => verdicts.includes(String(verdict))) })
    expect(await panel(await keep(['cannot', 'upstream-wheel']))).toBe('1 cannot be had, and nothing was to be built.')
    expect(await panel(await keep(['upstream-wheel']))).toBe('There was nothing to build. done')
  })

  test('shows what was left out', async () => {
    await started([CFFI])
    expect(states((await person.get('/ui/prebuilds/1')).text)).toMatchObject({ crcmod: 'left-out', cffi: 'queued' })
  })

  test('has what failed tried again, and comes back to itself', async () => {
    const csrf = await started([CFFI])
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'ffi.h' })
    const { text } = await person.get('/ui/prebuilds/1')
    expect(text).toContain('action="../../ui/jobs/1/retry"')
    const { status, headers } = await person.post('/ui/jobs/1/retry', { csrf, next: hidden(text, 'next') })
    expect([status, new URL(headers.get('location')!, `${rig.url}/ui/jobs/1/retry`).pathname]).toEqual([303, '/ui/prebuilds/1'])
    expect(states((await person.get('/ui/prebuilds/1')).text)).toMatchObject({ cffi: 'queued' })
  })

  test('offers no retry to whoever is not logged in', async () => {
    await started([CFFI])
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'ffi.h' })
    const { text } = await visitor(rig).get('/ui/prebuilds/1')
    expect(text).not.toContain('/retry"')
    expect(text).toContain('<a id="to-login" href="../../ui/login?next=%2Fui%2Fprebuilds%2F1">Log in to try again</a>')
    expect((await person.get('/ui/prebuilds/1')).text).not.toContain('id="to-login"')
  })

  test('is listed on the form\'s page, and unknown ones are not found', async () => {
    await started([CFFI])
    expect(textOf((await person.get('/ui/prebuild')).text)).toMatch(/Prebuild 1 pasted text .* admin/)
    for (const id of ['2', 'x', '1e3', '99999999999999999999']) expect((await person.get(`/ui/prebuilds/${id}`)).status, id).toBe(404)
  })
})
