import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PRIORITY, type ClaimedJob, type Job, type Wish } from '../../../src/domain/job.ts'
import { LONGEST_CHAIN, MOST_NEEDS, MOST_WAITS } from '../../../src/domain/needs.ts'
import '../../property-seed.ts'
import { ALL, BOTH, type StoreBench, TARGET, wheelOf, wishFor } from './bench.ts'

const DAY = 24 * 60 * 60 * 1000
const MISSING = { class: 'build-requirement-unbuildable', key: 'numpy>=2' } as const

/** Jobs that wait for jobs. */
export function waitsContract({ store, another, running }: StoreBench): void {

  /** A project of this name, from an sdist of its own. */
  function of(project: string, change: Partial<Wish> = {}): Wish {
    return wishFor({ project, version: '1.0', sdist: { sha256: Buffer.from(project).toString('hex').padEnd(64, '0'), filename: `${project}-1.0.tar.gz` }, ...change })
  }

  function needs(...projects: string[]) {
    return { needs: projects.map((project) => ({ requirement: `${project}>=1`, wish: of(project) })), failure: MISSING, record: { steps: [] } }
  }

  async function claim(now = 20, want = ALL): Promise<ClaimedJob | undefined> {
    return store.jobs.claim('w1', want, now, now + 1000)
  }

  /** The job of a project, as a run of it. */
  async function run(project: string, change: Partial<Wish> = {}, now = 20): Promise<ClaimedJob> {
    const { job } = await store.jobs.wish(of(project, change), 1)
    const claimed = await claim(now)
    expect(claimed?.id).toBe(job.id)
    return claimed!
  }

  async function built(job: ClaimedJob, now = 50): Promise<void> {
    const wheel = wheelOf(job, { filename: `${job.project}-1.whl`, sha256: job.sdist.sha256 })
    expect(await store.wheels.publish(wheel, { id: job.id, worker: 'w1', metadataChanged: false }, {}, now)).toBe(true)
  }

  async function found(project: string): Promise<Job> {
    return (await store.jobs.find(of(project)))!
  }

  describe('a job that needs another', () => {
    test('waits, without an attempt counted, for one that is made with its priority and its asker', async () => {
      const job = await run('scipy', { priority: PRIORITY.waiting, askedBy: '10.0.0.9' })
      expect(await store.jobs.waitFor(job.build, needs('numpy'), 30)).toBe('waits')
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued', attempts: 0, step: undefined, failure: undefined, remembered: false, build: job.build })
      expect(await store.jobs.build(job.build)).toMatchObject({ finishedAt: 30, failure: MISSING, record: { steps: [] } })
      const numpy = await found('numpy')
      expect(numpy).toMatchObject({ state: 'queued', priority: PRIORITY.waiting, askedBy: '10.0.0.9', createdAt: 30, kind: 'build' })
      expect(await store.jobs.waitsFor([job.id, numpy.id])).toEqual(new Map([[job.id, [{ job: numpy.id, project: 'numpy', version: '1.0', requirement: 'numpy>=1' }]]]))
    })

    test('is claimed once that is built, and not before', async () => {
      const job = await run('scipy')
      await store.jobs.waitFor(job.build, needs('numpy', 'pybind11'), 30)
      const runs = [await claim(40), await claim(40)]
      expect(runs.map((each) => each?.project)).toEqual(['numpy', 'pybind11'])
      expect(await claim(41)).toBeUndefined()
      await built(runs[0]!)
      expect(await claim(51)).toBeUndefined()
      await store.jobs.done(runs[1]!.build, undefined, 52)
      expect(await store.jobs.waitsFor([job.id])).toEqual(new Map())
      expect(await claim(53)).toMatchObject({ id: job.id, attempts: 1 })
    })

    test('counts as ahead of nobody, and what it needs does', async () => {
      const job = await run('scipy', { priority: PRIORITY.waiting })
      const { job: later } = await store.jobs.wish(of('lxml', { priority: PRIORITY.asked }), 2)
      await store.jobs.waitFor(job.build, needs('numpy'), 30)
      const numpy = await found('numpy')
      expect(await store.jobs.ahead([numpy.id, later.id])).toEqual(new Map([[numpy.id, 0], [later.id, 1]]))
    })

    test('wakes who watches, in another process too', async () => {
      const other = await another()
      const job = await run('scipy')
      const heard = Promise.withResolvers<void>()
      const stop = other.jobs.watch(heard.resolve)
      await store.jobs.waitFor(job.build, needs('numpy'), 30)
      await heard.promise
      stop()
      expect((await other.jobs.waitsFor([job.id])).get(job.id)).toHaveLength(1)
    })

    test('raises what is queued already, and is raised with all that it needs, down to the last', async () => {
      await store.jobs.wish(of('numpy', { priority: PRIORITY.rebuild }), 1)
      const scipy = await run('scipy', { priority: PRIORITY.background })
      await store.jobs.waitFor(scipy.build, needs('numpy'), 30)
      expect((await found('numpy')).priority).toBe(PRIORITY.background)
      const numpy = await claim(31)
      await store.jobs.waitFor(numpy!.build, needs('meson'), 32)
      await store.jobs.wish(of('scipy', { priority: PRIORITY.waiting }), 33)
      for (const project of ['scipy', 'numpy', 'meson']) expect((await found(project)).priority, project).toBe(PRIORITY.waiting)
    })

    test('goes on at once where the wheel came while it ran', async () => {
      const scipy = await run('scipy', {}, 20)
      const numpy = await run('numpy', {}, 20)
      await built(numpy, 25)
      expect(await store.jobs.waitFor(scipy.build, needs('numpy'), 30)).toBe('waits')
      expect(await claim(31)).toMatchObject({ id: scipy.id })
    })

    test('fails where the wheel was there before it ran: another one would not serve either', async () => {
      await built(await run('numpy', {}, 20), 25)
      const scipy = await run('scipy', {}, 40)
      expect(await store.jobs.waitFor(scipy.build, needs('numpy'), 45)).toMatchObject({ refused: { class: 'build-requirement-unbuildable', key: expect.stringContaining('the wheel of numpy 1.0 is there, and does not serve') } })
      expect(await store.jobs.get(scipy.id), 'nothing was written').toEqual(scipy)
    })

    test('who lost the job waits for nothing', async () => {
      const job = await run('scipy', {}, 20)
      const again = await claim(2000)
      expect(again?.id).toBe(job.id)
      expect(await store.jobs.waitFor(job.build, needs('numpy'), 2001)).toBe('lost')
      expect(await store.jobs.find(of('numpy'))).toBeUndefined()
      expect(await store.jobs.get(job.id)).toEqual(again)
    })

    test.each(['metadata', 'trial', 'rebuild'] as const)('may be a %s', async (kind) => {
      const job = await run('scipy', { kind })
      expect(await store.jobs.waitFor(job.build, needs('numpy'), 30)).toBe('waits')
      const numpy = await claim(31)
      expect(numpy).toMatchObject({ kind: 'build', project: 'numpy' })
      expect(await claim(32)).toBeUndefined()
      await built(numpy!)
      expect(await claim(60)).toMatchObject({ id: job.id })
    })

    test('takes its metadata job along, and that one fails with it', async () => {
      const { job: metadata } = await store.jobs.wish(of('scipy', { kind: 'metadata' }), 1)
      const build = await run('scipy')
      await store.jobs.waitFor(build.build, needs('numpy'), 30)
      expect((await store.jobs.waitsFor([metadata.id])).get(metadata.id)).toHaveLength(1)
      const numpy = await claim(31)
      expect(numpy?.project).toBe('numpy')
      expect(await claim(31, { ...BOTH, kinds: ['metadata'] })).toBeUndefined()
      await store.jobs.fail(numpy!.build, { class: 'missing-header', key: 'x.h' }, undefined, 40)
      for (const id of [metadata.id, build.id]) expect(await store.jobs.get(id)).toMatchObject({ state: 'failed', failure: { job: numpy!.id } })
      expect((await store.jobs.get(metadata.id))?.build, 'one log to read').toBe(build.build)
    })
  })

  describe('when what is needed fails', () => {
    test('all that wait for it fail with it, each by its own requirement, and are remembered and tried again', async () => {
      const pandas = await run('pandas')
      await store.jobs.waitFor(pandas.build, needs('scipy'), 30)
      const scipy = await claim(31)
      await store.jobs.waitFor(scipy!.build, needs('numpy'), 32)
      const numpy = await claim(33)
      const before = await store.generation('pandas')
      await store.jobs.fail(numpy!.build, { class: 'missing-header', key: 'cblas.h' }, undefined, 40, 90)
      expect(await store.jobs.get(scipy!.id)).toMatchObject({
        state: 'failed', remembered: true, finishedAt: 40,
        failure: { class: 'build-requirement-unbuildable', key: 'numpy>=1 (numpy 1.0 needs header cblas.h)', job: numpy!.id },
      })
      expect(await store.jobs.get(pandas.id)).toMatchObject({
        state: 'failed', failure: { class: 'build-requirement-unbuildable', key: 'scipy>=1 (scipy 1.0 its build requirement numpy>=1 (numpy 1.0 needs header cblas.h) has no wheel)', job: scipy!.id },
      })
      expect(await store.jobs.retryAt(pandas.id)).toBe(40 + 3 * DAY)
      expect(await store.generation('pandas')).toBeGreaterThan(before)
      expect(await store.jobs.waitsFor([pandas.id, scipy!.id])).toEqual(new Map())
      expect(await claim(50)).toBeUndefined()
    })

    test('a trial that waited is not tried again by itself, and a rebuild is not remembered', async () => {
      const trial = await run('pandas', { kind: 'trial' })
      await store.jobs.waitFor(trial.build, needs('numpy'), 30)
      const rebuild = await run('scipy', { kind: 'rebuild', priority: PRIORITY.waiting }, 30)
      await store.jobs.waitFor(rebuild.build, needs('numpy'), 31)
      const numpy = await claim(32)
      await store.jobs.fail(numpy!.build, { class: 'missing-header', key: 'cblas.h' }, undefined, 40)
      expect([await store.jobs.retryAt(trial.id), (await store.jobs.get(trial.id))?.remembered]).toEqual([undefined, false])
      expect([await store.jobs.retryAt(rebuild.id), (await store.jobs.get(rebuild.id))?.remembered]).toEqual([40 + 3 * DAY, false])
    })

    test('by the machine\'s fault, what waits is tried again in minutes as well', async () => {
      const scipy = await run('scipy')
      await store.jobs.waitFor(scipy.build, needs('numpy'), 30)
      const numpy = await claim(31)
      await store.jobs.fail(numpy!.build, { class: 'infrastructure', key: 'no engine' }, undefined, 40, 1000)
      expect((await store.jobs.get(scipy.id))?.failure).toMatchObject({ class: 'infrastructure', job: numpy!.id })
      expect(await store.jobs.retryAt(scipy.id)).toBe(40 + 5 * 60_000)
    })

    test('or is cancelled, what waits ends too; or failed before, it is refused', async () => {
      const scipy = await run('scipy')
      await store.jobs.waitFor(scipy.build, needs('numpy'), 30)
      const numpy = await found('numpy')
      await store.jobs.cancel(numpy.id, 35)
      expect(await store.jobs.get(scipy.id)).toMatchObject({ state: 'failed', failure: { class: 'build-requirement-unbuildable', key: 'numpy>=1 (numpy 1.0 was cancelled)' } })
      const pandas = await run('pandas', {}, 40)
      expect(await store.jobs.waitFor(pandas.build, needs('numpy'), 41)).toEqual({ refused: { class: 'build-requirement-unbuildable', key: 'numpy>=1 (numpy 1.0 was cancelled)', job: numpy.id } })
    })

    test('and works later, what failed for its sake is queued again in the background', async () => {
      const scipy = await run('scipy', { priority: PRIORITY.waiting })
      await store.jobs.waitFor(scipy.build, needs('numpy'), 30)
      const numpy = await claim(31)
      await store.jobs.fail(numpy!.build, { class: 'missing-header', key: 'cblas.h' }, undefined, 40)
      await store.jobs.retry(numpy!.id, 50)
      await built((await claim(51))!, 60)
      expect(await store.jobs.requeue(60)).toBe(1)
      expect(await store.jobs.get(scipy.id)).toMatchObject({ state: 'queued', priority: PRIORITY.background, remembered: true })
    })

    test('who tries again what waited tries again what it needs', async () => {
      const scipy = await run('scipy')
      await store.jobs.waitFor(scipy.build, needs('numpy'), 30)
      const numpy = await claim(31)
      await store.jobs.fail(numpy!.build, { class: 'missing-header', key: 'cblas.h' }, undefined, 40)
      await store.jobs.retry(scipy.id, 50)
      expect([(await store.jobs.get(scipy.id))?.state, (await store.jobs.get(numpy!.id))?.state]).toEqual(['queued', 'queued'])
    })
  })

  describe('circles and bounds', () => {
    test('a job that needs its own sdist, or waits for what waits for it, is refused, and nothing is written', async () => {
      const a = await run('a')
      expect(await store.jobs.waitFor(a.build, needs('b', 'a'), 30)).toEqual({ refused: { class: 'build-requirement-unbuildable', key: 'a>=1 (a 1.0 needs a 1.0: a circle)' } })
      expect(await store.jobs.find(of('b')), 'not even the other').toBeUndefined()
      await store.jobs.waitFor(a.build, needs('b'), 30)
      const b = await claim(31)
      await store.jobs.waitFor(b!.build, needs('c'), 32)
      const c = await claim(33)
      expect(await store.jobs.waitFor(c!.build, needs('a'), 34)).toEqual({ refused: { class: 'build-requirement-unbuildable', key: 'a>=1 (c 1.0 needs a 1.0 needs b 1.0 needs c 1.0: a circle)' } })
      expect(await store.jobs.get(c!.id)).toEqual(c)
    })

    test('a metadata job that needs the build of its own sdist is one too', async () => {
      const a = await run('a', { kind: 'metadata' })
      expect(await store.jobs.waitFor(a.build, needs('a'), 30)).toMatchObject({ refused: { key: 'a>=1 (a 1.0 needs a 1.0: a circle)' } })
    })

    test('so many requirements, so many times and so many in a row', async () => {
      const many = await run('many')
      const names = Array.from({ length: MOST_NEEDS + 1 }, (_, n) => `need-${n}`)
      expect(await store.jobs.waitFor(many.build, needs(...names), 30)).toMatchObject({ refused: { key: expect.stringContaining(`more than ${MOST_NEEDS}`) } })
      let now = 100
      for (let n = 0; n < MOST_WAITS; n++, now += 10) {
        const again = n === 0 ? many : (await claim(now))!
        expect(await store.jobs.waitFor(again.build, needs(`step-${n}`), now + 1)).toBe('waits')
        await built((await claim(now + 2))!, now + 3)
      }
      const last = await claim(now)
      expect(last).toMatchObject({ id: many.id, attempts: 1 })
      expect(await store.jobs.waitFor(last!.build, needs('one-more'), now + 1)).toMatchObject({ refused: { key: expect.stringContaining(`waited ${MOST_WAITS} times`) } })
      await store.jobs.fail(last!.build, MISSING, undefined, now + 2)
      await store.jobs.retry(many.id, now + 3)
      const fresh = await claim(now + 4)
      expect(await store.jobs.waitFor(fresh!.build, needs('one-more'), now + 5), 'as new').toBe('waits')

      let link = (await claim(now + 6))!
      for (let n = 1; n < LONGEST_CHAIN; n++) {
        expect(await store.jobs.waitFor(link.build, needs(`link-${n}`), now + 6 + n), `link ${n}`).toBe('waits')
        link = (await claim(now + 6 + n))!
      }
      expect(await store.jobs.waitFor(link.build, needs('too-deep'), now + 50)).toMatchObject({ refused: { key: expect.stringContaining('would wait for one another') } })
    })
  })

  test('a job whose image is gone, and that is over with the new one already, ends those that wait for it', async () => {
    const scipy = await run('scipy')
    await store.jobs.waitFor(scipy.build, needs('numpy'), 30)
    const { job: heir } = await store.jobs.wish(of('numpy', { image: 'sha256:newer' }), 32)
    const newer = { ...ALL, targets: { [TARGET]: 'sha256:newer' } }
    const claimed = await claim(33, newer)
    expect(claimed?.id).toBe(heir.id)
    await store.jobs.fail(claimed!.build, { class: 'missing-header', key: 'x.h' }, undefined, 40)
    expect(await store.jobs.adopt(newer.targets, 5000, 2000)).toBeGreaterThan(0)
    expect(await store.jobs.get(scipy.id)).toMatchObject({ state: 'failed', failure: { class: 'build-requirement-unbuildable' } })
  })

  test('whatever needs whatever: there is never a circle, and everything ends', async () => {
    const size = 7
    const graphs = fc.record({
      /** Of each project, what it finds missing at each of its runs. */
      edges: fc.array(fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 3 }), { maxLength: 3 }), { minLength: size, maxLength: size }),
      fails: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
      first: fc.uniqueArray(fc.nat(size - 1), { minLength: 1, maxLength: 4 }),
    })
    let round = 0
    await fc.assert(fc.asyncProperty(graphs, async ({ edges, fails, first }) => {
      round += 1
      const name = (n: number) => `p${round}-${n}`
      const mine = async () => (await store.jobs.list()).filter(({ project }) => project.startsWith(`p${round}-`))
      for (const n of first) await store.jobs.wish(of(name(n)), 1)
      const ran = new Map<number, number>()
      let now = round * 1_000_000
      for (let job = await claim(now); job; job = await claim(now)) {
        now += 10
        const n = Number(job.project.split('-')[1])
        const missing = edges[n]![ran.get(n) ?? 0]
        ran.set(n, (ran.get(n) ?? 0) + 1)
        expect(now, 'it ends').toBeLessThan(round * 1_000_000 + 10_000)
        const built = new Set((await store.wheels.wheels(job.project)).map(({ project }) => project))
        expect(built.size).toBe(0)
        const absent = []
        for (const other of missing ?? []) if ((await store.wheels.wheels(name(other))).length === 0) absent.push(name(other))
        const waits = absent.length > 0 ? await store.jobs.waitFor(job.build, needs(...absent), now) : undefined
        if (waits === 'waits') expect(await circles(await mine())).toEqual([])
        else if (waits !== undefined) await store.jobs.fail(job.build, (waits as { refused: typeof MISSING }).refused, undefined, now)
        else if (fails[n]) await store.jobs.fail(job.build, { class: 'build-failed', key: 'x' }, undefined, now)
        else await store.wheels.publish(wheelOf(job, { filename: `${job.project}.whl`, sha256: job.sdist.sha256 }), { id: job.id, worker: 'w1', metadataChanged: false }, {}, now)
      }
      for (const job of await mine()) expect(['built', 'failed'], job.project).toContain(job.state)
      expect(await store.jobs.waitsFor((await mine()).map(({ id }) => id))).toEqual(new Map())
    }), { numRuns: 60 })
  })

  async function circles(all: Job[]): Promise<number[]> {
    const waits = await store.jobs.waitsFor(all.map(({ id }) => id))
    const below = (id: number, seen: Set<number>): Set<number> => {
      for (const { job } of waits.get(id) ?? []) if (!seen.has(job)) below(job, seen.add(job))
      return seen
    }
    return all.map(({ id }) => id).filter((id) => below(id, new Set()).has(id))
  }

  test('no other project is touched', async () => {
    const job = await running()
    await store.jobs.waitFor(job.build, needs('numpy'), 30)
    expect((await store.jobs.list()).map(({ project }) => project).toSorted()).toEqual(['cffi', 'numpy'])
  })
}
