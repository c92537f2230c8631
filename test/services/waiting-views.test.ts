import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createJobViews } from '../../src/services/job-views.ts'
import { createWaitingInstalls } from '../../src/services/waiting-installs.ts'
import { createWaitingViews } from '../../src/services/waiting-views.ts'
import { makeBench } from './bench.ts'

test('two hundred that wait are listed, and the last two hundred that ended all the same', async () => {
  const bench = await makeBench()
  try {
    const { store, clock } = bench
    const installs = createWaitingInstalls({ clock, log: pino({ level: 'silent' }), closing: new AbortController().signal })
    const views = createWaitingViews({ installs, jobViews: createJobViews({ store, clock, workers: 2 }), clock })
    const { id: job } = await bench.wish({})
    const holds = Array.from({ length: 510 }, (_, n) => installs.hold({
      path: '/promise/x/a.whl', address: `10.0.${n >> 8}.${n & 255}`, began: undefined, client: { tool: 'uv', version: '1' }, job, project: 'a', filename: 'a.whl', hop: 0, by: 'hops',
    }))
    const counts = async (address?: string) => {
      const { waiting, more, others } = await views.list({ address })
      return { waits: waiting.filter(({ ended }) => ended === null).length, ended: waiting.filter(({ ended }) => ended !== null).length, more, others }
    }
    expect(await counts()).toEqual({ waits: 200, ended: 0, more: 310, others: 0 })
    for (const hold of holds.slice(0, 5)) hold.end('failed')
    expect(await counts()).toEqual({ waits: 200, ended: 5, more: 305, others: 0 })
    for (const hold of holds.slice(5, 300)) hold.end('built')
    expect(await counts()).toEqual({ waits: 200, ended: 200, more: 10, others: 0 })
    expect((await views.list({})).waiting.at(-1)?.address).toBe('10.0.1.43')
    expect(await counts('10.0.0.7')).toEqual({ waits: 0, ended: 1, more: 0, others: 210 })
  } finally {
    await bench.close()
  }
})
