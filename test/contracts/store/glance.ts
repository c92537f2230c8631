import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { StoreBench } from './bench.ts'
import { wheelOf } from './bench.ts'

/** What is told at once is what the others tell, whichever process wrote it. */
export function glanceContract({ store, another, running }: StoreBench): void {
  test('at a glance: another process\'s changes are seen in the next turn', async () => {
    const { glance } = store
    const other = await another()
    expect([glance.generation('demo'), glance.paused(), glance.targets(0), glance.rebuilt('demo'), glance.file('f'.repeat(64), 'a.whl')]).toEqual([0, false, new Map(), false, undefined])
    const sha256 = 'f'.repeat(64)
    await other.pages.put({ project: 'demo', json: Buffer.from('{}'), url: '', validator: undefined, fetchedAt: 1 }, [{ sha256, filename: 'a.whl', project: 'demo', url: 'https://upstream.example/a.whl', metadata: 'm' }])
    await nextTurn()
    expect(glance.generation('demo')).toBe(await other.generation('demo'))
    expect(glance.generation('demo')).toBeGreaterThan(0)
    expect(glance.file(sha256, 'a.whl')).toEqual({ project: 'demo', metadata: 'm' })
    expect(glance.file(sha256, 'b.whl')).toBeUndefined()
    await other.jobs.pause('why', 5)
    await other.workers.beat('w', { target: 'image' }, 7)
    await nextTurn()
    expect([glance.paused(), glance.targets(7), glance.targets(8)]).toEqual([true, new Map([['target', 'image']]), new Map()])
    await other.jobs.resume()
    await nextTurn()
    expect(glance.paused()).toBe(false)
  })

  test('at a glance: this process\'s changes are seen at once, small ones in the next turn', async () => {
    const { glance } = store
    expect([glance.generation('demo'), glance.paused(), glance.targets(0)]).toEqual([0, false, new Map()])
    const paused = store.jobs.pause('why', 5)
    expect(glance.paused()).toBe(true)
    const unreadable = store.pages.setUnreadable({ project: 'demo', sha256: 'f'.repeat(64), filename: 'a.whl' })
    expect(glance.generation('demo')).toBe(1)
    await Promise.all([paused, unreadable, store.workers.beat('w', { target: 'image' }, 7)])
    await nextTurn()
    expect(glance.targets(0)).toEqual(new Map([['target', 'image']]))
  })

  test('at a glance: a wheel of ours, and whether a newer build replaced one', async () => {
    const { glance } = store
    for (const number of [1, 2]) {
      expect(glance.rebuilt('cffi')).toBe(false)
      const job = await running({ recipe: String(number) })
      const wheel = wheelOf(job, { number, filename: `cffi-${number}.whl` })
      expect(await store.wheels.publish(wheel, { id: job.id, worker: 'w1', metadataChanged: false }, {}, 60)).toBe(true)
      expect(glance.file(wheel.sha256, wheel.filename)).toEqual({ project: wheel.project, metadata: wheel.metadata })
    }
    expect(glance.rebuilt('cffi')).toBe(true)
  })
}
