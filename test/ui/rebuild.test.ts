import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { branchesOf } from '../branches.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { makeRig, type Rig, TARGET } from '../http/rig.ts'
import { hidden, rows, textOf, visitor } from './visitor.ts'

const OLD = 'cp312-musllinux_1_2_x86_64'
const SDIST = { filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }

let rig: Rig
let newest: string
let older: { fetchedAt: number; why: string } | undefined
beforeEach(async () => {
  newest = '1.3.1-r1'
  older = undefined
  const there = branchesOf(() => [{ name: 'zlib', version: newest }])
  const branches: typeof there = { indexes: async (...asked) => (await there.indexes(...asked)).map((index) => ({ ...index, ...older && { older } })) }
  rig = await makeRig({ ui: true, targets: [OLD, TARGET], branches })
  rig.upstream.project('demo', [SDIST])
  await rig.ready()
})
afterEach(() => rig.close())

async function built(target: string): Promise<void> {
  await rig.store.jobs.wish({ kind: 'build', project: 'demo', version: '1.0', sdist: { filename: SDIST.filename, sha256: sha256(SDIST.bytes) }, target, recipe: '', image: 'image-1', priority: 40, askedBy: 'x' }, rig.clock.now())
  const job = await rig.store.jobs.claim('w', { kinds: ['build'], targets: { [target]: 'image-1' } }, rig.clock.now(), rig.clock.now() + 1000)
  await rig.store.wheels.publish({
    sha256: sha256(target), filename: `demo-1.0-1-${target.slice(0, 5)}-${target}.whl`, size: 1, project: 'demo', version: '1.0', target, sdist: sha256(SDIST.bytes), number: 1, metadata: 'e'.repeat(64),
    requiresPython: undefined, publishedAt: rig.clock.now(), build: job!.build, system: { repositories: ['apk/v3.19/main'], arch: 'x86_64', bundled: [{ apk: 'zlib', version: '1.3.1-r1', library: 'libz.so.1' }], runtime: [] },
  }, { id: job!.id, worker: 'w', metadataChanged: false }, {}, rig.clock.now())
}

describe('outdated libraries', () => {
  test('are shown to everybody, and rebuilt by who is logged in', async () => {
    await built(TARGET)
    const anybody = visitor(rig)
    expect(textOf((await anybody.get('/ui/rebuild')).text)).toContain('No wheel carries an older library')
    newest = '1.3.1-r2'
    const { text, status } = await anybody.get('/ui/rebuild')
    expect(status).toBe(200)
    expect(rows(text, 'data-filename')).toMatchObject([{ text: `demo-1.0-1-cp313-${TARGET}.whl libz.so.1 zlib 1.3.1-r1 1.3.1-r2` }])
    expect(textOf(text)).toContain('Log in to rebuild')
    expect((await anybody.post('/ui/rebuild/outdated', { csrf: 'x' })).status).toBe(401)
    const admin = visitor(rig)
    await admin.login()
    const csrf = hidden((await admin.get('/ui/rebuild')).text, 'csrf')
    expect((await admin.post('/ui/rebuild/outdated', { csrf: 'x' })).status).toBe(403)
    expect(await rig.store.jobs.list({ kind: 'rebuild' })).toEqual([])
    const { status: sent, headers } = await admin.post('/ui/rebuild/outdated', { csrf })
    expect([sent, headers.get('location')]).toEqual([303, '../../ui/rebuild'])
    const [job] = await rig.store.jobs.list({ kind: 'rebuild' })
    expect(rows((await admin.get('/ui/rebuild')).text, 'data-filename')[0]!.text).toContain(`queued Job ${job!.id}`)
    expect(textOf((await admin.get(`/ui/jobs/${job!.id}`)).text)).toContain(`Job ${job!.id} · rebuild`)
  })

  test('that cannot be rebuilt now are named, with why', async () => {
    await built(TARGET)
    await built(OLD)
    newest = '1.3.1-r2'
    const admin = visitor(rig)
    const csrf = await admin.login()
    const { status, text } = await admin.post('/ui/rebuild/outdated', { csrf })
    expect(status).toBe(200)
    expect(textOf(text)).toContain(`1 rebuild queued; 1 wheel left as it is. demo-1.0-1-cp312-${OLD}.whl : no builder is ready for ${OLD}`)
    expect(rows(text, 'data-filename').map(({ text: line }) => line.includes('queued'))).toEqual([false, true])
  })

  test('are told of with what is not known of their branches', async () => {
    await built(TARGET)
    older = { fetchedAt: rig.clock.now() - 7_200_000, why: 'nobody answers; look at the network' }
    const said = textOf((await visitor(rig).get('/ui/rebuild')).text)
    expect(said).toContain('apk/v3.19/main cannot be asked for x86_64. Nobody answers; look at the network. What is newer than its index of 2 h ago is not known')
    expect(said).toContain('No wheel is known to carry an older library')
  })
})

describe('a new Python', () => {
  test('gets what an older one uses, as a prebuild', async () => {
    await built(OLD)
    const admin = visitor(rig)
    await admin.login()
    const page = (await admin.get('/ui/rebuild')).text
    expect(page).toContain(`value="${OLD}"`)
    const { status, headers } = await admin.post('/ui/rebuild/like', { csrf: hidden(page, 'csrf'), target: TARGET, like: OLD })
    expect(status).toBe(303)
    expect(textOf((await admin.get(new URL(headers.get('location')!, `${rig.url}/ui/rebuild/like`).pathname)).text)).toContain(`what ${OLD} uses`)
    expect((await rig.store.jobs.list({ state: 'queued' })).map(({ project, target }) => [project, target])).toEqual([['demo', TARGET]])
  })

  test('that cannot be is told on the page, with what was sent in it', async () => {
    const admin = visitor(rig)
    const csrf = await admin.login()
    const { status, text } = await admin.post('/ui/rebuild/like', { csrf, target: TARGET, like: 'cp31' })
    expect(status).toBe(404)
    expect(textOf(text)).toContain('cp31 is no target')
    expect(text).toContain('value="cp31"')
  })
})
