import { generateKeyPairSync } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApkBranches } from '../../src/services/apks.ts'
import { createJobViews } from '../../src/services/job-views.ts'
import { createOutdated, type OutdatedWheels } from '../../src/services/outdated.ts'
import { MuslinError } from '../../src/errors.ts'
import { makeApk, makeRepository } from '../standin/apk/repository.ts'
import { silent, TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const SHA = (digit: string) => digit.repeat(64)
const BRANCH = 'apk/v3.21/main'
const KEY = { name: 'test.rsa.pub', privateKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
const HOUR = 3_600_000

let bench: IndexBench
let outdated: OutdatedWheels
let reads: string[]
let asked: string[]
let version: string
let failure: Error | 'absent' | undefined
beforeEach(async () => {
  bench = await makeIndexBench()
  reads = []
  asked = []
  version = '3.5.1-r0'
  failure = undefined
  const upstreamPages = { read: (project: string) => { reads.push(project); return bench.upstreamPages.read(project) } }
  const wheels = { ...bench.store.wheels, wheels: (project: string) => { asked.push(project); return bench.store.wheels.wheels(project) } }
  const branches = createApkBranches({ kept: bench.store.kept, blobs: bench.blobs, remote: { get }, clock: bench.clock, log: silent, mirror: undefined })
  await branches.serve(['https://alpine.example/v3.21/main', 'https://alpine.example/v3.21/community'])
  outdated = createOutdated({ ...bench, store: { ...bench.store, wheels }, upstreamPages, branches, readyTargets: async () => bench.builder.ready, jobViews: createJobViews({ ...bench, workers: 1 }) })
})
afterEach(() => bench.close())

/** The branch, as its server would send it. */
async function get() {
  if (failure instanceof Error) throw failure
  if (failure) return { kind: failure }
  const index = [...(await makeRepository([await makeApk({ name: 'openssl', version }, KEY)], KEY)).values()][0]!
  return { kind: 'file' as const, body: Readable.from([index]), size: index.length, validator: undefined }
}

async function built(project: string, number = 1, { has = '3.5.0-r0', target = TARGET, repositories = [BRANCH] } = {}): Promise<string> {
  const sdist = { sha256: Buffer.from(project).toString('hex').padEnd(64, '0'), filename: `${project}-1.0.tar.gz` }
  await bench.wish({ project, sdist, target, kind: number === 1 ? 'build' : 'rebuild' })
  const run = (await bench.store.jobs.claim('me', { kinds: ['build', 'rebuild'], targets: { [target]: 'image-1' } }, bench.clock.now(), bench.clock.now() + 60_000))!
  const filename = `${project}-1.0-${number}-${target.slice(0, 5)}-${target}.whl`
  await bench.store.wheels.publish({
    sha256: SHA(String(number)), filename, size: 1, project, version: '1.0', target, sdist: sdist.sha256, number, metadata: SHA('e'), requiresPython: undefined, publishedAt: bench.clock.now(), build: run.build,
    system: { repositories, arch: 'x86_64', runtime: [], bundled: [{ apk: 'openssl', version: has, library: 'libssl.so.3' }, { apk: 'gone', version: '1-r0', library: 'libgone.so' }] },
  }, { id: run.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
  return filename
}

const names = async () => (await outdated.list()).outdated.map(({ filename }) => filename)

describe('outdated wheels', () => {
  test('are those with an older apk than the branch has, until a later build is there', async () => {
    const old = await built('demo')
    await built('fresh', 1, { has: '3.5.1-r0', target: 'cp312-musllinux_1_2_x86_64' })
    expect((await outdated.list()).outdated).toEqual([expect.objectContaining({ filename: old, library: 'libssl.so.3', apk: 'openssl', has: '3.5.0-r0', newest: '3.5.1-r0', job: null })])
    await built('demo', 2, { has: '3.5.1-r0' })
    expect(await names()).toEqual([])
  })

  test('have the page of their project read once, however many there are and however often somebody looks, until it changes', async () => {
    bench.upstream.project('demo', [file('demo-1.0.tar.gz')])
    await bench.upstreamPages.refresh('demo')
    const both = [await built('demo'), await built('demo', 1, { target: 'cp312-musllinux_1_2_x86_64' })]
    expect((await Promise.all([names(), names(), names()])).map((each) => each.toSorted())).toEqual([both.toSorted(), both.toSorted(), both.toSorted()])
    await names()
    expect(reads).toEqual(['demo'])
    bench.upstream.project('demo', [file('demo-1.0.tar.gz'), file('demo-1.0-cp313-cp313-musllinux_1_2_x86_64.whl')])
    await bench.clock.advance(3_600_000)
    await bench.upstreamPages.refresh('demo')
    expect(await names(), 'the upstream has its own').toEqual([both[1]])
    expect(reads).toEqual(['demo', 'demo'])
  })

  test('come newest first, though one project is looked at after the other', async () => {
    const names312 = { target: 'cp312-musllinux_1_2_x86_64' }
    const order: string[] = []
    for (const [project, more] of [['demo', {}], ['other', {}], ['demo', names312], ['other', names312]] as const) {
      order.unshift(await built(project, 1, { ...more }))
      await bench.clock.advance(1000)
    }
    expect(await names()).toEqual(order)
    expect(asked).toEqual(['other', 'other', 'demo', 'demo'])
  })

  describe('of a branch that cannot be asked', () => {
    const told = (why: unknown, since: string | null, repository = BRANCH) => ({ repository, arch: 'x86_64', why, since })

    test('and never could be, are told as that; what the others have is compared', async () => {
      await built('demo')
      failure = new MuslinError('upstream-unreachable', 'it does not answer')
      expect(await outdated.list()).toEqual({ outdated: [], unreachable: [told('it does not answer', null)] })
      failure = 'absent'
      expect(await outdated.list()).toEqual({ outdated: [], unreachable: [told(expect.stringContaining('no index'), null)] })
    })

    test.each([['fails', new MuslinError('upstream-unreachable', 'it does not answer'), 'it does not answer'], ['is gone', 'absent', expect.stringContaining('is there no more')]] as const)(
      'for an hour are compared with what it had, and that is told: it %s', async (_, how, why) => {
        await built('demo')
        await built('fresh', 1, { has: '3.5.1-r0', target: 'cp312-musllinux_1_2_x86_64' })
        await names()
        const since = new Date(bench.clock.now()).toISOString()
        failure = how
        version = '3.5.2-r0'
        await bench.clock.advance(HOUR - 1)
        expect(await outdated.list()).toMatchObject({ outdated: [{ project: 'demo' }], unreachable: [] })
        await bench.clock.advance(1)
        expect(await outdated.list()).toMatchObject({ outdated: [{ project: 'demo', newest: '3.5.1-r0' }], unreachable: [told(why, since)] })
        failure = undefined
        await bench.clock.advance(60_000)
        expect(await outdated.list()).toMatchObject({ outdated: [{ newest: '3.5.2-r0' }, { newest: '3.5.2-r0' }], unreachable: [] })
      })

    test('are told of once for each branch, whatever wheels came of it', async () => {
      const community = BRANCH.replace('main', 'community')
      await built('demo', 1, { repositories: [BRANCH, community] })
      await built('other', 1, { repositories: [community] })
      failure = new MuslinError('upstream-unreachable', 'it does not answer')
      expect((await outdated.list()).unreachable.toSorted((a, b) => a.repository < b.repository ? -1 : 1)).toEqual([told('it does not answer', null, community), told('it does not answer', null)])
    })
  })

  test('show the rebuild that is under way, at the second security update as at the first', async () => {
    await built('demo')
    await outdated.rebuild({}, 'admin')
    await bench.clock.advance(1000)
    await built('demo', 2, { has: '3.5.1-r0' })
    version = '3.5.2-r0'
    await bench.clock.advance(HOUR)
    expect((await outdated.list()).outdated, 'the one that made it is none').toMatchObject([{ newest: '3.5.2-r0', job: null, state: null }])
    const { jobs: [job] } = await outdated.rebuild({}, 'admin')
    expect((await outdated.list()).outdated).toMatchObject([{ job: job!.id, state: 'queued' }])
    await bench.store.jobs.cancel(job!.id, bench.clock.now())
    expect((await outdated.list()).outdated).toMatchObject([{ job: job!.id, state: 'cancelled' }])
  })

  test('are rebuilt by name or all of them, as the last of all; what is outdated no more is left', async () => {
    const old = await built('demo')
    const { jobs, left } = await outdated.rebuild({ filenames: ['other.whl', old, old] }, 'admin')
    expect([jobs.length, left]).toEqual([1, [{ filename: 'other.whl', why: expect.stringContaining('or not any more') }]])
    expect(await bench.job(jobs[0]!.id)).toMatchObject({ kind: 'rebuild', priority: 0, askedBy: 'admin', sdist: { filename: 'demo-1.0.tar.gz' } })
    bench.builder.ready = new Map()
    expect(await outdated.rebuild({}, 'admin')).toEqual({ jobs: [], left: [{ filename: old, why: `no builder is ready for ${TARGET}` }] })
  })
})
