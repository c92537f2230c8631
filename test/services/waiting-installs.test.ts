import { beforeEach, describe, expect, test } from 'vitest'
import { pino } from 'pino'
import { createWaitingInstalls, type HoldAbout, type WaitingInstalls } from '../../src/services/waiting-installs.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'

let clock: ManualClock
let installs: WaitingInstalls
let closing: AbortController
let lines: string[]
beforeEach(() => {
  clock = manualClock()
  closing = new AbortController()
  lines = []
  const write = (line: string): void => {
    const { msg, waited, ended = '' } = JSON.parse(line) as { msg: string; waited: number; ended?: string }
    lines.push(`${msg} ${waited} ${ended}`.trim())
  }
  const log = pino({ level: 'info' }, { write })
  installs = createWaitingInstalls({ clock, log, closing: closing.signal })
})

const about = (parts: Partial<HoldAbout> = {}): HoldAbout => ({
  path: '/promise/x/a.whl', address: '10.0.0.7', began: undefined, client: { tool: 'uv', version: '0.13.9' }, job: 1, project: 'a', filename: 'a.whl', hop: 0, by: 'hops', ...parts,
})
const shown = () => installs.list().map(({ id: _, began, ended, ...install }) => ({ ...install, since: clock.now() - began, ended: ended?.how }))

describe('an install that waits', () => {
  test('is one through its hops, for the list and in the log', async () => {
    const first = installs.hold(about())
    const [{ id } = { id: '' }] = installs.list()
    await clock.advance(25_000)
    first.end('hop')
    expect(shown()).toEqual([{ tool: 'uv', version: '0.13.9', address: '10.0.0.7', project: 'a', filename: 'a.whl', job: 1, since: 25_000, ended: undefined }])
    await clock.advance(8_000)
    const second = installs.hold(about({ began: first.began, hop: 1 }))
    await clock.advance(30_000)
    expect(installs.list()).toHaveLength(1)
    second.tick()
    second.tick()
    second.end('built')
    expect(installs.list()).toMatchObject([{ id, ended: { how: 'built', at: clock.now() } }])
    expect(lines).toEqual(['hold 0', 'still held 63', 'held 63 built'])
    expect(clock.sleeping()).toBe(0)
  })

  test('that came back when all was there has ended, and one that stayed away has left', async () => {
    const [one, two] = [installs.hold(about()), installs.hold(about({ path: '/promise/y/b.whl' }))]
    one.end('hop')
    two.end('retry')
    installs.answered({ path: '/promise/x/a.whl', address: '10.0.0.7', began: one.began }, 'built')
    installs.answered({ path: '/promise/x/a.whl', address: '10.0.0.8', began: one.began }, 'built')
    installs.answered({ path: '/promise/x/a.whl', address: '10.0.0.7', began: undefined }, 'built')
    await clock.advance(34_999)
    expect(shown().map(({ ended }) => ended)).toEqual([undefined, 'built'])
    await clock.advance(1)
    expect(shown().map(({ ended }) => ended)).toEqual(['built', 'left'])
    expect(lines).toEqual(['hold 0', 'hold 0', 'held 0 built', 'held 35 gone'])
  })

  test('is one for two processes that hold it in turn', async () => {
    const other = createWaitingInstalls({ clock, log: pino({ level: 'silent' }), closing: closing.signal })
    let { began }: { began: number | undefined } = { began: undefined }
    for (const [hop, here] of [installs, other, installs, other, installs].entries()) {
      const hold = here.hold(about({ began, hop }))
      await clock.advance(25_000)
      expect(shown()).toMatchObject([{ ended: undefined }])
      hold.end(hop < 4 ? 'hop' : 'built')
      began = hold.began
      await clock.advance(4_000)
    }
    expect(shown()).toMatchObject([{ ended: 'built' }])
    expect(lines).toEqual(['hold 0', 'still held 83', 'held 141 built'])
  })

  test('that was given up waits again when it comes back, as the same one, and once in the list', async () => {
    const first = installs.hold(about())
    const [{ id } = { id: '' }] = installs.list()
    first.end('hop')
    await clock.advance(40_000)
    expect(shown()).toMatchObject([{ ended: 'left' }])
    let told = 0
    installs.watch(() => { told += 1 })
    const again = installs.hold(about({ began: first.began, hop: 2 }))
    expect(told).toBe(1)
    expect(installs.list()).toMatchObject([{ id, began: first.began, ended: undefined }])
    await clock.advance(10_000)
    again.end('built')
    expect(installs.list()).toMatchObject([{ id, ended: { how: 'built', at: clock.now() } }])
    expect(lines).toEqual(['hold 0', 'held 35 gone', 'hold 40', 'held 50 built'])
  })

  test('that was given up and finds its answer when it comes back has ended so; what ended otherwise stays', async () => {
    const [one, two] = [installs.hold(about()), installs.hold(about({ address: '10.0.0.8' }))]
    one.end('hop')
    two.end('failed')
    await clock.advance(40_000)
    for (const [address, { began }] of [['10.0.0.7', one], ['10.0.0.8', two]] as const) installs.answered({ path: '/promise/x/a.whl', address, began }, 'built')
    expect(installs.list()).toMatchObject([{ address: '10.0.0.8', ended: { how: 'failed' } }, { address: '10.0.0.7', ended: { how: 'built', at: clock.now() } }])
    expect(lines.at(-1)).toBe('held 40 built')
  })

  test('is told apart from others that ask for the same at the same time', () => {
    const [one, two, three] = [installs.hold(about()), installs.hold(about()), installs.hold(about({ address: '10.0.0.8' }))]
    expect(two.began).toBe(one.began + 1)
    expect(three.began).toBe(one.began)
    expect(new Set(installs.list().map(({ id }) => id)).size).toBe(3)
  })

  test('that asks anew before its broken connection is noticed goes on', () => {
    const first = installs.hold(about({ began: clock.now(), hop: 1 }))
    const again = installs.hold(about({ began: clock.now(), hop: 1 }))
    first.end('gone')
    expect(shown().map(({ ended }) => ended)).toEqual([undefined])
    again.end('end')
    expect(shown().map(({ ended }) => ended)).toEqual(['still-building'])
  })

  test('has the same id in another process', () => {
    const other = createWaitingInstalls({ clock, log: pino({ level: 'silent' }), closing: closing.signal })
    const { began } = installs.hold(about())
    other.hold(about({ began, hop: 1 }))
    expect(other.list()[0]?.id).toBe(installs.list()[0]?.id)
  })

  test('is forgotten a minute after its end, and at once where a server stops', async () => {
    installs.hold(about()).end('failed')
    installs.hold(about({ address: '10.0.0.8' })).end('closing')
    expect(shown().map(({ ended }) => ended)).toEqual(['failed'])
    await clock.advance(60_001)
    expect(installs.list()).toEqual([])
    installs.hold(about()).end('hop')
    closing.abort()
    expect(clock.sleeping()).toBe(0)
  })

  test('is told of to who watches, at its start and its end alone', () => {
    let told = 0
    const stop = installs.watch(() => { told += 1 })
    const first = installs.hold(about())
    first.end('hop')
    const second = installs.hold(about({ began: first.began, hop: 1 }))
    expect(told).toBe(1)
    second.end('built')
    expect(told).toBe(2)
    stop()
    installs.hold(about())
    expect(told).toBe(2)
  })
})

test('there are five thousand in the list at most, and five hundred that ended', () => {
  const many = (length: number) => Array.from({ length }, (_, n) => installs.hold(about({ address: `10.0.${n >> 8}.${n & 255}` })))
  const holds = many(5_010)
  expect(installs.list()).toHaveLength(5_000)
  for (const hold of holds) hold.end('built')
  expect(installs.list()).toHaveLength(500)
  expect(lines.filter((line) => line === 'held 0 built')).toHaveLength(5_010)
  many(5_001).at(-1)!.end('hop')
  expect(clock.sleeping()).toBe(0)
})
