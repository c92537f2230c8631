import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PRIORITY, type ClaimedJob, type Job, type Wish } from '../../../src/domain/job.ts'
import { PASSING_MS, roomBeside } from '../../../src/domain/sizing.ts'
import '../../property-seed.ts'
import { ALL, FAILURE, TARGET, type StoreBench, wheelOf, wishFor } from './bench.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const WORKER = { budget: 8 * GIB, limit: 4 * GIB }

/** Claims of workers whose memory is counted. */
export function roomContract({ store }: StoreBench): void {
  function sdist(name: string): Pick<Wish, 'project' | 'sdist'> {
    return { project: name, sdist: { sha256: Buffer.from(name).toString('hex').padEnd(64, '0'), filename: `${name}-1.0.tar.gz` } }
  }

  function claim(free: number, now = 20): Promise<ClaimedJob | undefined> {
    return store.jobs.claim('w1', { ...ALL, room: { ...WORKER, free } }, now, now + 1_000_000)
  }

  /** A project of which an earlier version was built with this peak. */
  async function knows(name: string, peakBytes: number, record: object = {}): Promise<void> {
    await store.jobs.wish(wishFor({ ...sdist(name), version: '0.9', recipe: 'earlier', priority: PRIORITY.waiting }), 1)
    const job = await store.jobs.claim('w1', ALL, 2, 3)
    const wheel = wheelOf(job!, { filename: `${name}-0.9-${Object.keys(record).length}.whl`, number: 1 + Object.keys(record).length })
    const steps = [{ step: 'fetch', seconds: 1 }, { step: 'build', seconds: 2, peakBytes }, { step: 'try', seconds: 1, peakBytes: 5 }]
    expect(await store.wheels.publish(wheel, { id: job!.id, worker: 'w1', metadataChanged: false }, { steps, ...record }, 4)).toBe(true)
  }

  describe('claims with room', () => {
    test('expect what the project took last time, and say so', async () => {
      await knows('lxml', 2 * GIB)
      await store.jobs.wish(wishFor(sdist('lxml')), 10)
      expect(await claim(2 * GIB)).toBeUndefined()
      expect(await claim(3 * GIB)).toMatchObject({ project: 'lxml', expectedBytes: Math.ceil(2 * GIB * 1.3) })
    })

    test('know nothing of a project that was only given another tag', async () => {
      await knows('lxml', 2 * GIB, { result: { build: 7 } })
      expect(await store.jobs.history('lxml', TARGET)).toEqual([])
      await knows('late', GIB, { result: { build: 7, refused: 'it does not load' } })
      expect(await store.jobs.history('late', TARGET), 'it was compiled after all').toHaveLength(1)
      await store.jobs.wish(wishFor(sdist('lxml')), 10)
      expect(await claim(8 * GIB)).toMatchObject({ expectedBytes: 2 * GIB })
    })

    test('without room said take what is first', async () => {
      await store.jobs.wish(wishFor(sdist('lxml')), 10)
      expect((await store.jobs.claim('w1', ALL, 20, 30))?.expectedBytes).toBeUndefined()
    })

    test('let smaller ones pass, for a while, and then nothing', async () => {
      await knows('large', 3 * GIB)
      for (const name of ['one', 'two', 'three']) await knows(name, 100 * MIB)
      await store.jobs.wish(wishFor({ ...sdist('large'), priority: PRIORITY.waiting }), 10)
      for (const name of ['one', 'two', 'three']) await store.jobs.wish(wishFor(sdist(name)), 11)
      expect(await claim(GIB, 20)).toMatchObject({ project: 'one', expectedBytes: 256 * MIB })
      expect(await claim(GIB, 19 + PASSING_MS)).toMatchObject({ project: 'two' })
      expect(await claim(GIB, 20 + PASSING_MS)).toBeUndefined()
      await store.jobs.wish(wishFor({ ...sdist('urgent'), kind: 'metadata' }), 12)
      expect(await claim(GIB, 21 + PASSING_MS), 'what comes before it').toMatchObject({ project: 'urgent' })
      expect(await claim(4 * GIB, 22 + PASSING_MS)).toMatchObject({ project: 'large' })
      expect(await claim(GIB, 23 + PASSING_MS), 'as before').toMatchObject({ project: 'three' })
    })

    test('a metadata job goes alone where there is no room for its build', async () => {
      await knows('large', 3 * GIB)
      await store.jobs.wish(wishFor(sdist('large')), 10)
      await store.jobs.wish(wishFor({ ...sdist('large'), kind: 'metadata' }), 11)
      expect(await claim(GIB)).toMatchObject({ kind: 'metadata' })
    })

    test('a metadata job goes beside a build that has taken all the room there is, and more', async () => {
      await store.jobs.wish(wishFor({ ...sdist('other'), kind: 'metadata' }), 10)
      const { free } = roomBeside([4 * GIB], { budget: 3 * GIB, limit: 4 * GIB })
      expect(free).toBeLessThan(0)
      expect(await claim(free)).toMatchObject({ kind: 'metadata', project: 'other' })
    })

    describe('one that was passed for long is passed anew', () => {
      const LATER = 50 + PASSING_MS
      const large = wishFor({ ...sdist('large'), priority: PRIORITY.waiting })

      async function passed(wish: Wish): Promise<Job> {
        await knows('large', 3 * GIB)
        await knows('one', 100 * MIB)
        const { job } = await store.jobs.wish(wish, 10)
        expect(await claim(GIB, 20)).toBeUndefined()
        return job
      }

      async function passedAnew(job: Job): Promise<void> {
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued' })
        await store.jobs.wish(wishFor({ ...sdist('one'), priority: PRIORITY.rebuild }), LATER)
        expect(await claim(GIB, LATER + 1)).toMatchObject({ project: 'one' })
      }

      test('once it was cancelled and somebody tries it again', async () => {
        const job = await passed(large)
        await store.jobs.cancel(job.id, 30)
        await store.jobs.retry(job.id, LATER)
        await passedAnew(job)
      })

      test('once it was cancelled and is ordered anew', async () => {
        const job = await passed({ ...large, kind: 'rebuild' })
        await store.jobs.cancel(job.id, 30)
        await store.jobs.rebuild({ ...large, kind: 'rebuild' }, LATER)
        await passedAnew(job)
      })

      test('once it ended as one of another recipe and is tried again by itself', async () => {
        for (const [recipe, retryAt] of [['new', LATER], ['', 9]] as const) {
          await store.jobs.wish({ ...large, recipe }, 1)
          await store.jobs.fail((await claim(8 * GIB, 5))!.build, FAILURE, undefined, 8, retryAt)
        }
        await store.jobs.requeue(9)
        const job = await passed(large)
        await store.jobs.rekey(job.id, 'new', 30)
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'failed' })
        await store.jobs.requeue(LATER)
        await passedAnew(job)
      })
    })

    test('one that is given back is passed anew', async () => {
      await knows('large', 3 * GIB)
      await knows('one', 100 * MIB)
      await store.jobs.wish(wishFor(sdist('large')), 10)
      expect(await claim(GIB, 20)).toBeUndefined()
      const large = await claim(8 * GIB, 20 + PASSING_MS)
      await store.jobs.giveBack(large!.build, 'stop', 30 + PASSING_MS)
      await store.jobs.wish(wishFor(sdist('one')), 31)
      expect(await claim(GIB, 40 + PASSING_MS)).toMatchObject({ project: 'one' })
    })
  })

  test('however many small ones come, a large one begins in time, and no more runs than fits unless one runs alone', async () => {
    const scenes = fc.record({
      /** In MiB, and how long each runs, in seconds. */
      sizes: fc.array(fc.record({ mib: fc.integer({ min: 1, max: 9000 }), seconds: fc.integer({ min: 1, max: 90 }) }), { minLength: 2, maxLength: 8 }),
      slots: fc.integer({ min: 1, max: 4 }),
      large: fc.nat(7),
    })
    let round = 0
    await fc.assert(fc.asyncProperty(scenes, async ({ sizes, slots, large }) => {
      round += 1
      const name = (n: number) => `p${round}-${n}`
      for (const [n, { mib }] of sizes.entries()) await knows(name(n), mib * MIB)
      const start = round * 1e9
      const watched = name(large % sizes.length)
      await store.jobs.wish(wishFor({ ...sdist(watched), priority: PRIORITY.asked }), start)
      let [now, wished, began] = [start, 0, -1]
      const running = new Map<ClaimedJob, number>()
      while (began < 0 && now < start + 3_600_000) {
        // Small ones come without end.
        for (; wished < 40 && wished * 5_000 <= now - start; wished++) {
          const n = wished % sizes.length
          if (name(n) !== watched) await store.jobs.wish(wishFor({ ...sdist(name(n)), recipe: String(wished) }), now)
        }
        for (const [job, ends] of running) {
          if (ends > now) continue
          running.delete(job)
          await store.jobs.done(job.build, undefined, now)
        }
        while (running.size < slots) {
          const room = roomBeside([...running.keys()].map((job) => job.expectedBytes ?? 0), WORKER)
          const job = await store.jobs.claim('w1', { ...ALL, room }, now, now + 1e8)
          if (!job) break
          running.set(job, now + sizes[Number(job.project.split('-')[1])]!.seconds * 1000)
          if (job.project === watched) began = now
          const taken = [...running.keys()].reduce((sum, each) => sum + (each.expectedBytes ?? 0), 0)
          expect(taken <= WORKER.budget || running.size === 1).toBe(true)
        }
        now += 1_000
      }
      // What had begun before it must end, and nothing else begins meanwhile.
      expect(began - start).toBeLessThanOrEqual(PASSING_MS + 91_000)
      for (const job of await store.jobs.list()) if (job.state === 'queued' || job.state === 'running') await store.jobs.cancel(job.id, now)
    }), { numRuns: 25 })
  })
}
