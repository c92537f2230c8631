import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY, type Job } from '../../src/domain/job.ts'
import { JSON_V1, sha256, type SyntheticFile } from '../synthetic-upstream.ts'
import { AGENTS, makeRig, type Rig, TARGET } from './rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig() })
afterEach(() => rig.close())

const PURE = 'protobuf-5.0-py3-none-any.whl'
const ALL = [PURE, 'protobuf-5.0-cp310-abi3-win_amd64.whl', 'protobuf-5.0.tar.gz']

function file(filename: string, keys: Record<string, unknown> = {}): SyntheticFile {
  return { filename, bytes: Buffer.from(filename), keys }
}

/** What is queued after an installer got the pure wheel. */
async function queuedAfter(files: SyntheticFile[], { agent = AGENTS.pip, host = '127.0.0.1' }: { agent?: string; host?: string } = {}): Promise<Job[]> {
  rig.upstream.project('protobuf', files)
  await rig.ready()
  await rig.get('/simple/protobuf/', { accept: JSON_V1 })
  const answer = await rig.get(`/files/${sha256(Buffer.from(PURE))}/${PURE}`, { 'user-agent': agent, host })
  expect(answer.status).toBe(200)
  await rig.fallbacks.close()
  return rig.store.jobs.list()
}

describe('a pure wheel where others have native ones', () => {
  test('has a native one built in the background, for the client\'s target, and is never promised', async () => {
    const jobs = await queuedAfter(ALL.map((name) => file(name)))
    expect(jobs).toMatchObject([{
      kind: 'build', project: 'protobuf', version: '5.0', target: TARGET, priority: PRIORITY.background, state: 'queued', askedBy: '127.0.0.1',
      sdist: { filename: 'protobuf-5.0.tar.gz', sha256: sha256(Buffer.from('protobuf-5.0.tar.gz')) }, image: 'image-1',
    }])
    const page = (await rig.get('/simple/protobuf/', { 'accept': JSON_V1, 'user-agent': AGENTS.pip })).body.toString()
    expect(page).not.toContain('/promise/')
  })

  test('which is listed beside it once it is there, and not as superseded', async () => {
    await queuedAfter(ALL.map((name) => file(name)))
    await rig.publish(await rig.claim(), Buffer.from('native'), 'Metadata-Version: 2.1\nName: protobuf\nVersion: 5.0\n')
    const page = JSON.parse((await rig.get('/simple/protobuf/', { 'accept': JSON_V1, 'user-agent': AGENTS.pip })).body.toString()) as { files: { filename: string; yanked: unknown }[] }
    expect(page.files.find(({ filename }) => filename.includes('musllinux'))).toMatchObject({ yanked: false })
    expect(await rig.get('/api/v1/projects/protobuf').then(({ body }) => JSON.parse(body.toString()) as unknown)).toMatchObject({ releases: [{ cells: { [TARGET]: { verdict: 'built' } } }] })
    expect(await queuedAfter(ALL.map((name) => file(name))), 'and is not built again').toHaveLength(1)
  })

  test.each<[string, SyntheticFile[]]>([
    ['without native wheels for anybody', [PURE, 'protobuf-5.0.tar.gz'].map((name) => file(name))],
    ['without an sdist', ALL.slice(0, 2).map((name) => file(name))],
    ['beside a native one that fits', [...ALL, 'protobuf-5.0-cp310-abi3-musllinux_1_2_x86_64.whl'].map((name) => file(name))],
    ['whose native ones are of another release', [PURE, 'protobuf-5.1-cp310-abi3-win_amd64.whl', 'protobuf-5.0.tar.gz'].map((name) => file(name))],
    ['whose native ones are withdrawn', [file(PURE), file(ALL[1]!, { yanked: true }), file(ALL[2]!)]],
    ['of another Python', [file(PURE), file(ALL[1]!), file(ALL[2]!, { 'requires-python': '>=3.14' })]],
  ])('%s is what there is', async (_which, files) => {
    expect(await queuedAfter(files)).toEqual([])
  })

  test.each([
    ['glibc', { agent: AGENTS.pipOnGlibc }], ['a browser', { agent: AGENTS.browser }], ['a locker', { agent: AGENTS.uvLock }],
    ['under a foreign name', { host: 'evil.example' }],
    ['our own build', { agent: AGENTS.pip.replace('{', '{"user_data":"muslin-builder",') }],
  ])('that is fetched by or for %s starts nothing', async (_who, how) => {
    expect(await queuedAfter(ALL.map((name) => file(name)), how)).toEqual([])
  })

  test('is looked into once an hour, and not again after it failed', async () => {
    const [job] = await queuedAfter(ALL.map((name) => file(name)))
    const run = await rig.claim()
    expect(run.id).toBe(job!.id)
    await rig.fail(run, { class: 'compiler-error', key: 'x' })
    await rig.clock.advance(3_600_000)
    expect(await queuedAfter(ALL.map((name) => file(name)))).toMatchObject([{ state: 'failed' }])
  })
})
