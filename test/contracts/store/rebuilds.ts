import { describe, expect, test } from 'vitest'
import { PRIORITY, type ClaimedJob, type Wish } from '../../../src/domain/job.ts'
import { ALL, FAILURE, type StoreBench, TARGET, wheelOf, wishFor } from './bench.ts'

const OTHER = 'cp312-musllinux_1_2_x86_64'

/** What is built again: by order, by time, and for another target. */
export function rebuildsContract({ store, another, failed }: StoreBench): void {
  const rebuild = (change: Partial<Wish> = {}) => wishFor({ priority: PRIORITY.rebuild, askedBy: 'admin', ...change, kind: 'rebuild' }) as Wish & { kind: 'rebuild' }

  async function built(change: Partial<Wish> = {}, wheel: Partial<ReturnType<typeof wheelOf>> = {}): Promise<ClaimedJob> {
    await store.jobs.wish(wishFor(change), 1)
    const job = await store.jobs.claim('w1', { ...ALL, targets: { [TARGET]: 'sha256:image', [OTHER]: 'sha256:image' } }, 10, 100)
    await store.wheels.publish(wheelOf(job!, wheel), { id: job!.id, worker: 'w1', metadataChanged: false }, {}, 50)
    return job!
  }

  describe('a rebuild', () => {
    test('is a job of its own beside the build, and is done anew at each order', async () => {
      const first = await built()
      const { job, created } = await store.jobs.rebuild(rebuild(), 60)
      expect([created, job.id === first.id]).toEqual([true, false])
      expect(job).toMatchObject({ kind: 'rebuild', state: 'queued', priority: PRIORITY.rebuild, askedBy: 'admin', createdAt: 60 })
      expect(await store.jobs.rebuild(rebuild({ priority: PRIORITY.waiting }), 61)).toMatchObject({ created: false, job: { id: job.id, priority: PRIORITY.waiting, createdAt: 60 } })
      const run = await store.jobs.claim('w1', ALL, 70, 170)
      expect(run?.id).toBe(job.id)
      const second = wheelOf(run!, { number: 2, filename: 'cffi-2.whl', sha256: '2'.repeat(64) })
      expect(await store.wheels.publish(second, { id: run!.id, worker: 'w1', metadataChanged: true }, {}, 80)).toBe(true)
      expect((await store.wheels.wheels('cffi')).map(({ number, build }) => [number, build])).toEqual([[1, first.build], [2, run!.build]])
      expect(await store.jobs.get(first.id), 'as it was').toMatchObject({ state: 'built', build: first.build })
      expect(await store.jobs.rebuild(rebuild({ askedBy: '10.0.0.9' }), 90)).toMatchObject({
        created: true, job: { id: job.id, state: 'queued', priority: PRIORITY.rebuild, attempts: 0, askedBy: '10.0.0.9', createdAt: 90, metadataChanged: false },
      })
    })

    test('that fails is told and tried again as the last of all, and stops no promise', async () => {
      await built()
      const { job } = await store.jobs.rebuild(rebuild(), 60)
      const run = await store.jobs.claim('w1', ALL, 70, 170)
      await store.jobs.fail(run!.build, FAILURE, undefined, 80, 100)
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'failed', failure: FAILURE, remembered: false })
      expect(await store.jobs.remembered('cffi')).toEqual([])
      expect(await store.jobs.requeue(100)).toBe(1)
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued', priority: PRIORITY.rebuild })
    })

    test('wakes who watches', async () => {
      let woken = 0
      const stop = store.jobs.watch(() => { woken += 1 })
      await store.jobs.rebuild(rebuild(), 60)
      stop()
      expect(woken).toBe(1)
    })
  })

  test('failed jobs can be hastened, but for those that nobody would try again', async () => {
    const soon = await failed({}, 5000)
    const never = await failed({ recipe: 'never' })
    const { job: queued } = await store.jobs.wish(wishFor({ recipe: 'queued' }), 1)
    expect(await store.jobs.hasten([soon.id, never.id, queued.id, 99], 100)).toBe(1)
    expect(await store.jobs.hasten([soon.id], 100), 'it is due').toBe(0)
    expect(await store.jobs.retryAt(soon.id)).toBe(100)
    expect(await store.jobs.requeue(100)).toBe(1)
    expect(await store.jobs.get(soon.id)).toMatchObject({ state: 'queued', remembered: true })
  })

  test('the releases that have a wheel for a target', async () => {
    await built({}, {})
    await built({ recipe: 'b' }, { number: 2, filename: '2.whl' })
    await built({ recipe: 'c', version: '1.16', sdist: { sha256: 'b'.repeat(64), filename: 'cffi-1.16.tar.gz' } }, { filename: '3.whl' })
    await built({ target: OTHER, recipe: 'd', project: 'lxml' }, { filename: '4.whl' })
    expect(await store.wheels.releases(TARGET)).toEqual([{ project: 'cffi', version: '1.16' }, { project: 'cffi', version: '1.17' }])
    expect(await store.wheels.releases(OTHER)).toEqual([{ project: 'lxml', version: '1.17' }])
  })

  describe('demand', () => {
    test('counts what each target was sent, by release, whatever file it was', async () => {
      const wheel = await built()
      const file = (project: string, filename: string) => ({ sha256: 'c'.repeat(64), filename, project, url: 'u', metadata: undefined })
      await store.pages.put({ project: 'old-name', json: undefined, url: 'u', validator: undefined, fetchedAt: 1 }, [file('old-name', 'Old-Name-2.0.tar.gz')])
      const sent = (filename: string, target: string | undefined, sha256 = 'c'.repeat(64)) => ({ filename, sha256, client: 'a', at: 5, target })
      await store.downloads.add([
        sent('cffi-1.17.0-1-cp313-cp313-musllinux_1_2_x86_64.whl', TARGET, 'e'.repeat(64)), sent('cffi-1.17.0-cp313-cp313-musllinux_1_1_x86_64.whl', TARGET), sent('six-1.16-py2.py3-none-any.whl', TARGET),
        sent('six-1.16-py2.py3-none-any.whl', OTHER), sent('Old-Name-2.0.tar.gz', TARGET), sent('Old-Name-2.0.tar.gz', TARGET), sent('Old-Name-2.0.tar.gz', TARGET),
        sent('unknown-1.0.tar.gz', TARGET), sent('Old-Name-x.tar.gz', TARGET), sent('cffi-1.16-cp313-cp313-musllinux_1_1_x86_64.whl', undefined),
      ])
      expect(await (await another()).downloads.demand(TARGET)).toEqual([
        { project: 'old-name', version: '2.0', downloads: 3 }, { project: 'cffi', version: '1.17.0', downloads: 2 }, { project: 'six', version: '1.16', downloads: 1 },
      ])
      expect(await store.downloads.demand(OTHER)).toEqual([{ project: 'six', version: '1.16', downloads: 1 }])
      expect(wheel.target).toBe(TARGET)
    })
  })
}
