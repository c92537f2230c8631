import request from 'supertest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY, type ClaimedJob, type Wish } from '../../src/domain/job.ts'
import { AGENTS, makeRig, type Rig, TARGET } from '../http/rig.ts'
import { HOSTILE, login, pageOf, seen } from './pages.ts'

let rig: Rig

beforeEach(async () => {
  rig = await makeRig({ ui: true })
  await rig.ready()
})
afterEach(() => rig.close())

async function wish(change: Partial<Wish> = {}): Promise<number> {
  const { job } = await rig.store.jobs.wish({
    kind: 'build', project: 'cffi', version: '1.17', sdist: { sha256: 'a'.repeat(64), filename: 'cffi-1.17.tar.gz' }, target: TARGET,
    recipe: change.project ?? '', image: 'image-1', priority: PRIORITY.asked, askedBy: '10.0.0.1', ...change,
  }, rig.clock.now())
  return job.id
}

async function running(...log: string[]): Promise<ClaimedJob> {
  await wish()
  const job = await rig.claim()
  await rig.store.jobs.step(job.build, 'plan', rig.clock.now())
  await write(job, ...log)
  return job
}

async function write(job: ClaimedJob, ...log: string[]): Promise<void> {
  const sink = await rig.logs.open(job.build)
  for (const text of log) sink.write(text)
  await sink.close()
}

describe('a job', () => {
  test('that is queued says how many go before it, and comes again without JavaScript', async () => {
    await wish({ project: 'first', priority: PRIORITY.waiting })
    const id = await wish()
    const page = await pageOf(rig, `/ui/jobs/${id}`)
    expect(seen(page)).toContain('1 job goes before it')
    expect(page).toContain('<noscript><meta http-equiv="refresh"')
    expect(page).not.toContain('id="log"')
  })

  test('that waits for another says for which, and fails with it, each with a link to the other', async () => {
    const job = await running()
    const needed: Wish = { kind: 'build', project: 'numpy', version: '2.3.5', sdist: { sha256: 'b'.repeat(64), filename: 'numpy-2.3.5.tar.gz' }, target: TARGET, recipe: '', image: 'image-1', priority: PRIORITY.asked, askedBy: 'x' }
    await rig.store.jobs.waitFor(job.build, { needs: [{ requirement: 'numpy>=2 <b>', wish: needed }], failure: { class: 'build-requirement-unbuildable', key: 'numpy' }, record: undefined }, rig.clock.now())
    const other = (await rig.store.jobs.find(needed))!.id
    const page = await pageOf(rig, `/ui/jobs/${job.id}`)
    expect(seen(page)).toContain(`Waits for what it needs to build. It goes on by itself once that is built. numpy 2.3.5 for numpy>=2 <b> (job ${other})`)
    expect(page).toContain(`href="../../ui/jobs/${other}"`)
    expect(seen(await pageOf(rig, '/ui/jobs'))).toContain('waits for numpy')
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'x.h' })
    const failed = await pageOf(rig, `/ui/jobs/${job.id}`)
    expect(seen(failed)).toContain(`It waited for job ${other}`)
    expect(failed).toContain(`href="../../ui/jobs/${other}"`)
  })

  test('that is queued says when it is expected to begin', async () => {
    await wish({ project: 'first', priority: PRIORITY.waiting })
    await wish({ project: 'second', priority: PRIORITY.waiting })
    const id = await wish()
    expect(seen(await pageOf(rig, `/ui/jobs/${id}`))).toContain('2 jobs go before it. It begins in about 24 s.')
    expect(seen(await pageOf(rig, '/ui/jobs'))).toContain('2 jobs before it, in about 24 s')
  })

  test('that runs shows its steps and what its log has by now', async () => {
    const job = await running('one\n', '\x1b[31mtwo\x1b[0m\n', 'half a li')
    await rig.clock.advance(3000)
    await rig.store.jobs.step(job.build, 'build', rig.clock.now())
    const page = await pageOf(rig, `/ui/jobs/${job.id}`)
    expect(page).toMatch(/data-step="plan" data-state="done">[^]*?3 s/)
    expect(page).toContain('data-step="build" data-state="running"')
    expect(page).toContain('<li class="line" data-n="2"><span class="f1">two</span></li>')
    expect(page).not.toContain('half')
    expect(page).toMatch(/data-from="\d+_3_"/)
  })

  test('that failed says why, and what helps, on top', async () => {
    const job = await running('a line\n')
    await rig.fail(job, { class: 'missing-header', key: 'ffi.h' })
    const page = await pageOf(rig, `/ui/jobs/${job.id}`)
    expect(page).toMatch(/id="cause">Needs header ffi\.h\.<\/p>/)
    expect(page).toMatch(/id="remedy">Add the apk libffi-dev to /)
    expect(page.indexOf('id="cause"')).toBeLessThan(page.indexOf('id="steps"'))
    expect(page.indexOf('id="steps"')).toBeLessThan(page.indexOf('id="log"'))
    expect(page).not.toContain('http-equiv="refresh"')
  })

  test('that was built gives its wheel, and the line that installs it', async () => {
    const job = await running()
    await rig.publish(job, Buffer.from('the wheel'), 'Metadata-Version: 2.1\nName: cffi\nVersion: 1.17\n')
    const page = await pageOf(rig, `/ui/jobs/${job.id}`)
    expect(page).toMatch(/id="wheel"/)
    expect(seen(page)).toMatch(new RegExp(`pip install -i ${rig.url.replace('127.0.0.1', '[^ ]+')}/simple/ --trusted-host [^ ]+ cffi==1.17`))
    const href = /href="\.\.\/\.\.(\/files\/[^"]+)"[^>]*>cffi-1\.17-1/.exec(page)?.[1] ?? ''
    expect((await rig.get(href)).body.toString()).toBe('the wheel')
  })

  test('keeps its earlier runs', async () => {
    const first = await running('the first run\n')
    await rig.fail(first, { class: 'infrastructure', key: 'no room' })
    await rig.store.jobs.retry(first.id, rig.clock.now())
    expect(await pageOf(rig, `/ui/jobs/${first.id}`), 'what is queued again shows no old cause').not.toContain('id="cause"')
    const second = await rig.claim()
    await write(second, 'the second run\n')
    const page = await pageOf(rig, `/ui/jobs/${first.id}`)
    expect(page).toContain('the second run')
    expect(page).toContain(`href="../../ui/builds/${first.build}"`)
    const earlier = await pageOf(rig, `/ui/builds/${first.build}`)
    expect(earlier).toContain('the first run')
    expect(earlier).toContain('id="earlier"')
    expect(seen(earlier)).toContain('Could not be built just now: no room')
  })

  test('and its log are a stranger\'s text', async () => {
    const job = await running(`${HOSTILE}\n`, `\x1b[31m${HOSTILE}\n`, `Muslin: ${HOSTILE}\n`)
    await rig.store.jobs.fail(job.build, { class: 'compiler-error', key: HOSTILE }, { images: { [HOSTILE]: HOSTILE }, requirements: [HOSTILE] }, rig.clock.now())
    const page = await pageOf(rig, `/ui/jobs/${job.id}`)
    expect(seen(page)).toContain(`Does not compile: ${HOSTILE}.`)
    await wish({ project: HOSTILE, version: HOSTILE, sdist: { sha256: 'b'.repeat(64), filename: HOSTILE }, askedBy: HOSTILE })
    await pageOf(rig, '/ui/jobs/2')
    await pageOf(rig, '/ui/jobs')
    await pageOf(rig, '/ui/')
  })

  test('shows of a log of 100,000 lines its beginning and its end', async () => {
    const job = await running(...Array.from({ length: 100 }, (_, part) => Array.from({ length: 1000 }, (__, line) => `[${part * 1000 + line + 1}] cc -c a_file_of_the_project.c\n`).join('')))
    await rig.fail(job, { class: 'timed-out', key: '1 h' })
    const page = await pageOf(rig, `/ui/jobs/${job.id}`)
    expect(page.match(/<li class="line/g)?.length).toBeLessThan(5000)
    expect(page).toContain('data-n="1">[1] cc')
    expect(page).toContain('data-n="100000">[100000] cc')
    expect(seen(page)).toMatch(/98,500 lines left out here\. Read the whole log/)
    expect(page).toContain(`href="../../api/v1/builds/${job.build}/log"`)
  })

  test('leaves the log out for a script that has it', async () => {
    const job = await running('one\n')
    expect(await pageOf(rig, `/ui/jobs/${job.id}`, { headers: { Prefer: 'return=minimal' } })).not.toContain('id="log"')
  })

  test.each([['/ui/jobs/99', 'no-such-job'], ['/ui/jobs/x', 'no-such-job'], ['/ui/builds/99', 'no-such-build'], ['/ui/builds/1e3', 'no-such-build']])('that is none says so: %s', async (path, code) => {
    expect(await pageOf(rig, path, { status: 404 })).toContain(`<code>${code}</code>`)
  })
})

describe('retry and cancel', () => {
  const post = (path: string, fields: Record<string, string>, cookie = '') => request(rig.server).post(path).set({ 'User-Agent': AGENTS.browser, 'Accept': 'text/html', 'Cookie': cookie }).type('form').send(fields)

  test('are for who is logged in; others see the way there', async () => {
    const id = await wish()
    expect(await pageOf(rig, `/ui/jobs/${id}`)).toContain(`href="../../ui/login?next=%2Fui%2Fjobs%2F${id}"`)
    const { cookie, csrf } = await login(rig)
    expect(await pageOf(rig, `/ui/jobs/${id}`, { cookie })).toMatch(new RegExp(`action="../../ui/jobs/${id}/cancel"><input type="hidden" name="csrf" value="${csrf}"><button id="cancel"`))

    const answer = await post(`/ui/jobs/${id}/cancel`, { csrf }, cookie)
    expect([answer.status, answer.headers['location']]).toEqual([303, `../../../ui/jobs/${id}`])
    expect(await pageOf(rig, `/ui/jobs/${id}`, { cookie })).toMatch(/data-state="cancelled"[^]*id="retry"/)
    await post(`/ui/jobs/${id}/retry`, { csrf }, cookie)
    expect(await rig.store.jobs.get(id)).toMatchObject({ state: 'queued' })
    const again = await post(`/ui/jobs/${id}/retry`, { csrf }, cookie)
    expect([again.status, again.text]).toEqual([409, expect.stringContaining('not-possible-now')])
  })

  test('change nothing without a session, or without its token', async () => {
    const id = await wish()
    const { cookie, csrf } = await login(rig)
    expect((await post(`/ui/jobs/${id}/cancel`, { csrf })).status).toBe(401)
    expect((await post(`/ui/jobs/${id}/cancel`, {}, cookie)).status).toBe(403)
    expect((await post(`/ui/jobs/${id}/cancel`, { csrf: `${csrf}x` }, cookie)).status).toBe(403)
    expect(await rig.store.jobs.get(id)).toMatchObject({ state: 'queued' })
  })
})
