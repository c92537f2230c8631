import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApkEntry } from '../../src/domain/apk-index.ts'
import { createJobViews } from '../../src/services/job-views.ts'
import { createOutdated, type OutdatedWheels } from '../../src/services/outdated.ts'
import { MuslinError } from '../../src/errors.ts'
import { TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const SHA = (digit: string) => digit.repeat(64)

let bench: IndexBench
let outdated: OutdatedWheels
let reads: string[]
let branch: () => ApkEntry[]
beforeEach(async () => {
  bench = await makeIndexBench()
  reads = []
  branch = () => [{ name: 'openssl', version: '3.5.1-r0' }] as ApkEntry[]
  const upstreamPages = { read: (project: string) => { reads.push(project); return bench.upstreamPages.read(project) } }
  outdated = createOutdated({ ...bench, upstreamPages, branches: { index: async () => branch() }, readyTargets: async () => bench.builder.ready, jobViews: createJobViews({ ...bench, workers: 1 }) })
})
afterEach(() => bench.close())

async function built(project: string, number = 1, { version = '3.5.0-r0', target = TARGET } = {}): Promise<string> {
  const sdist = { sha256: SHA('a'), filename: `${project}-1.0.tar.gz` }
  await bench.wish({ project, sdist, target, kind: number === 1 ? 'build' : 'rebuild' })
  const run = (await bench.store.jobs.claim('me', { kinds: ['build', 'rebuild'], targets: { [target]: 'image-1' } }, bench.clock.now(), bench.clock.now() + 60_000))!
  const filename = `${project}-1.0-${number}-${target.slice(0, 5)}-${target}.whl`
  await bench.store.wheels.publish({
    sha256: SHA(String(number)), filename, size: 1, project, version: '1.0', target, sdist: sdist.sha256, number, metadata: SHA('e'), requiresPython: undefined, publishedAt: bench.clock.now(), build: run.build,
    system: { repositories: ['apk/v3.21/main'], arch: 'x86_64', runtime: [], bundled: [{ apk: 'openssl', version, library: 'libssl.so.3' }, { apk: 'gone', version: '1-r0', library: 'libgone.so' }] },
  }, { id: run.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
  return filename
}

const names = async () => (await outdated.list()).outdated.map(({ filename }) => filename)

describe('outdated wheels', () => {
  test('are those with an older apk than the branch has, until a later build is there', async () => {
    const old = await built('demo')
    await built('fresh', 1, { version: '3.5.1-r0', target: 'cp312-musllinux_1_2_x86_64' })
    expect((await outdated.list()).outdated).toEqual([expect.objectContaining({ filename: old, library: 'libssl.so.3', apk: 'openssl', has: '3.5.0-r0', newest: '3.5.1-r0', job: null })])
    await built('demo', 2, { version: '3.5.1-r0' })
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

  test('of a branch that cannot be asked are told as that', async () => {
    await built('demo')
    branch = () => { throw new MuslinError('upstream-unreachable', 'it does not answer') }
    expect(await outdated.list()).toEqual({ outdated: [], unreachable: [{ repositories: ['apk/v3.21/main'], why: 'it does not answer' }] })
  })

  test('are rebuilt by name or all of them, as the last of all; a name that is none of theirs is refused', async () => {
    const old = await built('demo')
    await expect(outdated.rebuild({ filenames: ['other.whl'] }, 'admin')).rejects.toMatchObject({ code: 'bad-request' })
    const { jobs, left } = await outdated.rebuild({ filenames: [old] }, 'admin')
    expect([jobs.length, left]).toEqual([1, []])
    expect(await bench.job(jobs[0]!.id)).toMatchObject({ kind: 'rebuild', priority: 0, askedBy: 'admin', sdist: { filename: 'demo-1.0.tar.gz' } })
    bench.builder.ready = new Map()
    expect(await outdated.rebuild({}, 'admin')).toEqual({ jobs: [], left: [{ filename: old, why: `no builder is ready for ${TARGET}` }] })
  })
})
