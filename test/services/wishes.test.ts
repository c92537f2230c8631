import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseUserAgent } from '../../src/domain/client.ts'
import { PRIORITY, type Job, type JobKind } from '../../src/domain/job.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { createAdmission, type Asker } from '../../src/services/admission.ts'
import type { JobStore } from '../../src/services/ports.ts'
import type { Promised } from '../../src/services/promises.ts'
import { createWishes, type Wishes } from '../../src/services/wishes.ts'
import { AGENTS } from '../http/rig.ts'
import { type Bench, TARGET, makeBench } from './bench.ts'

const MINUTE = 60_000

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

function makeWishes({ buildsPerClient = 100, metadataPerClient = 1000, aheadPerClient = 20, queueLimit = 500, jobs = bench.store.jobs as JobStore } = {}): Wishes {
  const admission = createAdmission({ clock: bench.clock, hosts: [], buildsPerClient, metadataPerClient, aheadPerClient, queueLimit })
  return createWishes({ jobs, recipes: bench.recipes, admission, hindrance: bench.hindrance, readyTargets: async () => bench.builder.ready, clock: bench.clock })
}

function asker(change: Partial<Asker> & { agent?: string } = {}): Asker {
  const { agent = AGENTS.pip, ...rest } = change
  return { client: parseUserAgent(agent), address: '10.0.0.1', admin: false, host: 'localhost:8080', site: undefined, ...rest }
}

/** Another promise for each number. */
function promised(n: number): Promised {
  const sdist = { sha256: n.toString(16).padStart(64, '0'), filename: `demo-1.${n}.tar.gz` }
  return { project: 'demo', version: `1.${n}`, target: parseTarget(TARGET)!, number: 1, filename: `demo-1.${n}-1-cp313-${TARGET}.whl`, sdist }
}

const code = (expected: string) => expect.objectContaining({ code: expected })
const queued = (kind: JobKind = 'build'): Promise<number> => bench.store.jobs.count('queued', kind)

describe('somebody who waits', () => {
  test('gets a job of the highest priority, the same for all who ask; one that is there is raised to it', async () => {
    const { now, ahead, find } = makeWishes()
    await ahead(promised(1), asker())
    const low = await find('build', promised(1))
    expect(low).toMatchObject({ priority: PRIORITY.asked, askedBy: '10.0.0.1', image: 'image-1' })
    const raised = await now('build', promised(1), asker({ address: '10.0.0.2' }))
    expect(raised).toEqual({ ...low, priority: PRIORITY.waiting })
    expect((await now('metadata', promised(1), asker())).id).not.toBe(raised.id)
  })

  test('who may not start builds is given the job that is there, as it is', async () => {
    const { now, ahead } = makeWishes()
    const browser = asker({ agent: AGENTS.browser })
    await expect(now('build', promised(1), browser)).rejects.toEqual(code('start-refused'))
    await ahead(promised(1), asker())
    expect(await now('build', promised(1), browser)).toMatchObject({ priority: PRIORITY.asked })
  })

  test('without a builder for the target there is none', async () => {
    bench.builder.ready = new Map()
    await expect(makeWishes().now('build', promised(1), asker())).rejects.toEqual(code('no-builder'))
    expect(await makeWishes().find('build', promised(1))).toBeUndefined()
  })
})

describe('how many', () => {
  async function asked(wishes: Wishes, kind: JobKind, numbers: number[], who = asker()): Promise<{ made: Job[]; refused: unknown[] }> {
    const answers = await Promise.allSettled(numbers.map((n) => wishes.now(kind, promised(n), who)))
    return {
      made: answers.flatMap((answer) => answer.status === 'fulfilled' ? [answer.value] : []),
      refused: answers.flatMap((answer) => answer.status === 'rejected' ? [answer.reason] : []),
    }
  }
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

  test('a hundred wishes of one client at once make no more builds than it may start', async () => {
    const { made, refused } = await asked(makeWishes({ buildsPerClient: 5 }), 'build', numbers(100))
    expect(made).toHaveLength(5)
    for (const error of refused) expect(error).toEqual(code('too-many-builds'))
    expect(await queued()).toBe(5)
  })

  test('metadata steps run the sdist\'s code too: counted apart', async () => {
    const wishes = makeWishes({ buildsPerClient: 2, metadataPerClient: 20 })
    const { made, refused } = await asked(wishes, 'metadata', numbers(30))
    expect([made.length, await queued('metadata')]).toEqual([20, 20])
    expect(refused[0]).toMatchObject({ code: 'too-many-builds', detail: expect.stringContaining('20 new metadata steps within an hour') })
    expect((await asked(wishes, 'build', [1, 2])).made).toHaveLength(2)
  })

  test('within an hour; others and the admin are not counted with it, nor is joining a job', async () => {
    const wishes = makeWishes({ buildsPerClient: 2 })
    await wishes.now('build', promised(1), asker())
    await wishes.now('build', promised(2), asker({ address: '10.0.0.2' }))
    await bench.clock.advance(10 * MINUTE)
    await wishes.now('build', promised(3), asker())
    await expect(wishes.now('build', promised(4), asker())).rejects.toEqual(code('too-many-builds'))
    expect(await wishes.now('build', promised(2), asker())).toMatchObject({ askedBy: '10.0.0.2' })
    expect(await wishes.now('build', promised(4), asker({ address: '10.0.0.2' }))).toMatchObject({ askedBy: '10.0.0.2' })
    for (const n of [5, 6, 7]) expect(await wishes.now('build', promised(n), asker({ admin: true }))).toMatchObject({ askedBy: 'admin' })
    await bench.clock.advance(51 * MINUTE)
    expect(await wishes.now('build', promised(8), asker())).toMatchObject({ askedBy: '10.0.0.1' })
  })

  test('the queue holds so many of both kinds together, the admin\'s too', async () => {
    const wishes = makeWishes({ queueLimit: 2 })
    const { made, refused } = await asked(wishes, 'build', numbers(20), asker({ admin: true }))
    expect([made.length, await queued()]).toEqual([2, 2])
    expect(refused[0]).toMatchObject({ code: 'queue-full', detail: expect.stringContaining('raise queueLimit') })
    expect((await asked(wishes, 'metadata', [1])).refused).toEqual([code('queue-full')])
    await bench.store.jobs.claim('w', { kinds: ['build'], targets: { [TARGET]: 'image-1' } }, bench.clock.now(), bench.clock.now() + MINUTE)
    expect((await asked(wishes, 'metadata', [1])).made).toHaveLength(1)
    expect((await asked(wishes, 'build', [30])).refused).toEqual([code('queue-full')])
  })
})

describe('ahead of anybody who waits', () => {
  test('twenty a minute, then silence and no error', async () => {
    const { ahead } = makeWishes()
    await Promise.all(Array.from({ length: 50 }, (_, n) => ahead(promised(n), asker())))
    expect(await queued()).toBe(20)
    await ahead(promised(50), asker({ address: '10.0.0.2' }))
    expect(await queued()).toBe(21)
    await bench.clock.advance(MINUTE + 1)
    await ahead(promised(51), asker())
    expect(await queued()).toBe(22)
  })

  test('for installs alone; a refusal is silent, a broken database is not', async () => {
    await makeWishes().ahead(promised(1), asker({ agent: AGENTS.uvLock }))
    await makeWishes().ahead(promised(1), asker({ host: 'evil.example' }))
    await makeWishes({ queueLimit: 0 }).ahead(promised(1), asker())
    expect(await queued()).toBe(0)
    const jobs = { ...bench.store.jobs, wish: async () => { throw new Error('the disk is gone') } }
    await expect(makeWishes({ jobs }).ahead(promised(1), asker())).rejects.toThrow('the disk is gone')
  })
})
