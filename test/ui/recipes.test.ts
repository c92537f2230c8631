import request from 'supertest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY, type ClaimedJob } from '../../src/domain/job.ts'
import { AGENTS, makeRig, type Rig, TARGET } from '../http/rig.ts'
import { HOSTILE, login, pageOf, seen } from './pages.ts'

let rig: Rig
beforeEach(async () => {
  rig = await makeRig({ ui: true })
  await rig.ready()
})
afterEach(() => rig.close())

const post = (path: string, fields: Record<string, string>, cookie = '') => request(rig.server).post(path).set({ 'User-Agent': AGENTS.browser, 'Accept': 'text/html', 'Cookie': cookie }).type('form').send(fields)
const unescaped = (text: string) => text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))

async function learnt(evidence: unknown = [{ failure: { class: 'missing-header', key: 'ffi.h' }, remedy: 'adds the apk libffi-dev' }]) {
  return rig.store.recipes.add({
    project: 'cffi', origin: 'learnt', versions: undefined, targets: undefined, recipe: { apks: ['libffi-dev'] }, note: 'learnt from the build of 1.17', evidence, createdBy: 'muslin', createdAt: rig.clock.now(),
  })
}

describe('the page of recipes', () => {
  test('lists those of this site, and the projects that have built-in ones', async () => {
    expect(seen(await pageOf(rig, '/ui/recipes'))).toContain('None yet')
    await learnt()
    const page = await pageOf(rig, '/ui/recipes')
    expect(page).toContain('data-project="cffi" data-origin="learnt"')
    expect(seen(page)).toMatch(/cffi all versions learnt apks libffi-dev just now/)
    expect(page).toContain('href="../ui/recipes/pyyaml"')
    expect(page).toContain('href="../api/v1/recipes.toml"')
  })

  test('of a project shows each with what is behind it; who is logged in takes back what builds taught', async () => {
    const { id } = await learnt()
    const page = await pageOf(rig, '/ui/recipes/cffi')
    expect(seen(page)).toMatch(/learnt for all versions Learnt from the build of 1\.17\. apks libffi-dev missing-header ffi\.h: adds the apk libffi-dev Learnt just now Log in to set a recipe/)
    expect(page).not.toContain('<textarea')
    const { cookie, csrf } = await login(rig)
    expect(await pageOf(rig, '/ui/recipes/cffi', { cookie })).toContain(`action="../../ui/recipes/cffi/remove"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="id" value="${id}">`)
    expect((await post('/ui/recipes/cffi/remove', { id: String(id) }, cookie)).status).toBe(403)
    expect((await post('/ui/recipes/cffi/remove', { id: String(id), csrf })).status).toBe(401)
    const answer = await post('/ui/recipes/cffi/remove', { id: String(id), csrf }, cookie)
    expect([answer.status, answer.headers['location']]).toEqual([303, '../../../ui/recipes/cffi'])
    expect(await rig.store.recipes.all()).toEqual([])
    expect((await post('/ui/recipes/cffi/remove', { id: 'x', csrf }, cookie)).status).toBe(400)
    expect((await post('/ui/recipes/cffi/remove', { id: '99', csrf }, cookie)).status).toBe(404)
  })

  test('takes another, and gives back what cannot be used', async () => {
    const { cookie, csrf } = await login(rig)
    const form = unescaped(/<textarea[^>]*>\n([^<]*)</.exec(await pageOf(rig, '/ui/recipes/demo', { cookie }))?.[1] ?? '')
    expect(form).toBe('[[recipe]]\nproject = "demo"\napks = []\n')
    const wrong = await post('/ui/recipes/demo', { csrf, text: form.replace('[]', '["--root"]') }, cookie)
    expect(wrong.status).toBe(400)
    expect(seen(wrong.text)).toMatch(/The recipe: recipe 1, apks\.0 cannot be used; accepted: the name of an apk/)
    expect(unescaped(wrong.text)).toContain('apks = ["--root"]')
    expect((await post('/ui/recipes/demo', { csrf, text: form.replace('[]', '["zlib-dev"]\nnetwork = true') }, cookie)).headers['location']).toBe('../../ui/recipes/demo')
    const page = await pageOf(rig, '/ui/recipes/demo', { cookie })
    expect(seen(page)).toContain('The build may use the network.')
    expect(unescaped(/<textarea[^>]*>\n([^<]*)</.exec(page)?.[1] ?? '')).toContain('apks = [ "zlib-dev" ]')
    expect((await post('/ui/recipes/demo', { text: form }, cookie)).status).toBe(403)
  })

  test('finds a project by any spelling, and is a stranger\'s text', async () => {
    expect((await rig.get('/ui/recipes/PyYAML', { accept: 'text/html' })).headers['location']).toBe('pyyaml')
    await pageOf(rig, '/ui/recipes/-', { status: 400 })
    await learnt([{ failure: { class: HOSTILE, key: HOSTILE }, remedy: HOSTILE }])
    await rig.store.recipes.add({ project: 'cffi', origin: 'site', versions: undefined, targets: undefined, recipe: { env: { A: HOSTILE }, check: HOSTILE, skip: HOSTILE, configSettings: { a: [HOSTILE] } }, note: HOSTILE, evidence: undefined, createdBy: HOSTILE, createdAt: 0 })
    const { cookie } = await login(rig)
    expect(seen(await pageOf(rig, '/ui/recipes/cffi', { cookie }))).toContain(HOSTILE)
    await pageOf(rig, '/ui/recipes')
  })
})

describe('a failed build', () => {
  async function failed(failure: Parameters<Rig['fail']>[1] = { class: 'missing-header', key: 'ffi.h' }, record?: Record<string, unknown>): Promise<ClaimedJob> {
    await rig.store.jobs.wish({
      kind: 'build', project: 'demo', version: '1.17', sdist: { sha256: 'a'.repeat(64), filename: 'demo-1.17.tar.gz' }, target: TARGET, recipe: '', image: 'image-1', priority: PRIORITY.asked, askedBy: '10.0.0.1',
    }, rig.clock.now())
    const job = await rig.claim()
    await rig.store.jobs.fail(job.build, failure, record, rig.clock.now())
    return job
  }

  test('is tried again with what was missing, by a button, which leads to the new job', async () => {
    const job = await failed({ class: 'missing-header', key: 'ffi.h', apks: ['libffi-dev', 'libffi-other'] })
    expect(await pageOf(rig, `/ui/jobs/${job.id}`), 'others see the way to the login').not.toContain('id="add-apks"')
    const { cookie, csrf } = await login(rig)
    const page = await pageOf(rig, `/ui/jobs/${job.id}`, { cookie })
    for (const apk of ['libffi-dev', 'libffi-other']) expect(page).toContain(`<button name="apks" value="${apk}">Add ${apk} and try again</button>`)
    const answer = await post(`/ui/jobs/${job.id}/add-apks`, { csrf, apks: 'libffi-dev' }, cookie)
    expect([answer.status, answer.headers['location']]).toEqual([303, `../../../ui/jobs/${job.id + 1}`])
    expect(await rig.store.recipes.all()).toMatchObject([{ project: 'demo', origin: 'site', recipe: { apks: ['libffi-dev'] } }])
    const anew = await rig.claim()
    expect(anew).toMatchObject({ id: job.id + 1, priority: PRIORITY.waiting, sdist: job.sdist, recipe: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(seen(await pageOf(rig, `/ui/jobs/${anew.id}`))).toContain(`Recipe ${anew.recipe.slice(0, 12)}`)
  })

  test('takes apks that nobody suggested, each checked', async () => {
    const job = await failed({ class: 'build-failed', key: 'code 1' })
    const { cookie, csrf } = await login(rig)
    expect(await pageOf(rig, `/ui/jobs/${job.id}`, { cookie })).toMatch(/id="add-apks"[^]*<input id="apks" name="apks"/)
    for (const apks of ['', ' , ', '--root', 'zlib-dev ; rm']) expect((await post(`/ui/jobs/${job.id}/add-apks`, { csrf, apks }, cookie)).status, apks).toBe(400)
    expect((await post(`/ui/jobs/${job.id}/add-apks`, { apks: 'zlib-dev' }, cookie)).status).toBe(403)
    expect(await rig.store.recipes.all()).toEqual([])
    await post(`/ui/jobs/${job.id}/add-apks`, { csrf, apks: 'zlib-dev, openssl-dev' }, cookie)
    expect(await rig.store.recipes.all()).toMatchObject([{ recipe: { apks: ['zlib-dev', 'openssl-dev'] } }])
  })

  test('that no apk can mend has no such form; one that might have used the network says so', async () => {
    const job = await failed({ class: 'infrastructure', key: 'no engine' }, { recipe: { network: true, digest: 'x' } })
    const { cookie } = await login(rig)
    const page = await pageOf(rig, `/ui/jobs/${job.id}`, { cookie })
    expect(page).not.toContain('id="add-apks"')
    expect(seen(page)).toContain('may use the network')
  })
})

test('a project\'s page leads to its recipe, and shows what its recipe skips', async () => {
  rig.upstream.project('demo', [{ filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }])
  await rig.get('/simple/demo/')
  await rig.store.recipes.add({ project: 'demo', origin: 'site', versions: undefined, targets: undefined, recipe: { skip: 'for glibc alone' }, note: undefined, evidence: undefined, createdBy: 'admin', createdAt: 0 })
  const page = await pageOf(rig, '/ui/projects/demo')
  expect(page).toContain('href="../../ui/recipes/demo"')
  expect(page).toContain('<span title="for glibc alone"><span class="badge off">not built here</span></span>')
})
