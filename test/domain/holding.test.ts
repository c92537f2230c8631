import { describe, expect, test } from 'vitest'
import { holdPlan, isDirect, reach, type HoldInput, type HoldPlan } from '../../src/domain/holding.ts'
import type { Client } from '../../src/domain/client.ts'

const TOOLS: Client['tool'][] = ['pip', 'uv', 'poetry', 'pdm', 'twine', 'browser', 'other']
const plan = (tool: Client['tool'], direct: boolean, hop: number, ageMs: number | undefined, limit: Partial<Pick<HoldInput, 'holdLimitMs' | 'waitedMs' | 'settled'>> = {}) =>
  holdPlan({ client: { tool }, direct, settled: true, hop, ageMs, waitedMs: 0, holdLimitMs: undefined, ...limit })
const held = (then: HoldPlan['then']): HoldPlan => ({ interim: { everyMs: 8_000, count: 90 }, holdMs: 720_000, then })
const silent = (holdMs: number, then: HoldPlan['then']): HoldPlan => ({ holdMs, then })

test.each<[Client['tool'], boolean, number, number | undefined, HoldPlan]>([
  ['pip', true, 0, undefined, held('hop')],
  ['pip', true, 27, 0, held('hop')],
  ['pip', true, 28, 0, held('end')],
  ['pip', false, 0, undefined, silent(12_000, 'hop')],
  ['pip', false, 1, 0, silent(12_000, 'retry')],
  ['pip', false, 1, 39_000, silent(12_000, 'retry')],
  ['pip', false, 1, 52_000, silent(12_000, 'hop')],
  ['pip', false, 27, 52_000, silent(12_000, 'hop')],
  ['pip', false, 28, 0, silent(12_000, 'retry')],
  ['pip', false, 28, 52_000, silent(12_000, 'end')],
  ['pip', false, 1000, 52_000, silent(12_000, 'end')],
  ['uv', false, 0, undefined, silent(25_000, 'hop')],
  ['uv', true, 0, undefined, silent(25_000, 'hop')],
  ['uv', true, 1, 0, silent(25_000, 'retry')],
  ['uv', true, 9, 34_999, silent(25_000, 'retry')],
  ['uv', true, 9, 35_000, silent(25_000, 'hop')],
  ['uv', true, 9, -1, silent(25_000, 'hop')],
  ['uv', true, 10, 34_000, silent(25_000, 'retry')],
  ['uv', true, 10, 35_000, silent(25_000, 'end')],
  ['poetry', true, 17, 0, held('hop')],
  ['poetry', true, 18, 0, held('end')],
  ['poetry', false, 17, 0, silent(12_000, 'hop')],
  ['pdm', true, 0, undefined, held('hop')],
  ['pdm', false, 18, 0, silent(12_000, 'end')],
  ['other', true, 0, undefined, silent(12_000, 'hop')],
  ['other', true, 17, 0, silent(12_000, 'hop')],
  ['other', true, 18, 0, silent(12_000, 'end')],
  ['browser', true, 0, undefined, silent(12_000, 'hop')],
])('%s, direct %s, hop %i, its URL %s ms old', (tool, direct, hop, ageMs, expected) => expect(plan(tool, direct, hop, ageMs)).toEqual(expected))

test.each<[Client['tool'], boolean, number, HoldPlan]>([
  ['pip', true, 0, { interim: { everyMs: 8_000, count: 12 }, holdMs: 100_000, then: 'end' }],
  ['pip', true, 93_000, silent(7_000, 'end')],
  ['pip', false, 0, silent(12_000, 'hop')],
  ['pip', false, 90_000, silent(10_000, 'end')],
  ['uv', true, 60_000, silent(25_000, 'retry')],
  ['uv', true, 80_000, silent(20_000, 'end')],
  ['uv', true, 120_000, silent(0, 'end')],
])('%s, direct %s, with a limit of 100 s after %i ms', (tool, direct, waitedMs, expected) =>
  expect(plan(tool, direct, waitedMs === 0 ? 0 : 1, waitedMs === 0 ? undefined : 0, { waitedMs, holdLimitMs: 100_000 })).toEqual(expected))

test('whoever met a restart is sent on, to an address where nothing was tried yet', () => {
  expect(plan('uv', true, 1, 2_000, { settled: false })).toEqual(silent(25_000, 'hop'))
  expect(plan('pip', false, 28, 2_000, { settled: false })).toEqual(silent(12_000, 'end'))
})

describe('for every client', () => {
  /** The chain as it is lived by a client that pauses so long after each 503. */
  const chain = (tool: Client['tool'], direct: boolean, pauses: number[]) => {
    const requests: (HoldPlan & { hop: number })[] = []
    let [hop, now] = [0, 0]
    let issued: number | undefined
    for (;;) {
      const next = plan(tool, direct, hop, issued === undefined ? undefined : now - issued, { waitedMs: now })
      requests.push({ ...next, hop })
      now += next.holdMs
      if (next.then === 'end') return requests
      if (next.then === 'retry') now += pauses[requests.filter((one) => one.hop === hop).length - 1] ?? 0
      else [hop, issued] = [hop + 1, now]
    }
  }

  test.each(TOOLS)('%s is never left without a word longer than it endures, nor sent on or back too often, however long it pauses', (tool) => {
    for (const direct of [true, false]) {
      for (const pauses of [[], [1000, 1000, 1000, 1000], [500, 900, 1800], [1000, 1800, 3600], [2000, 4000, 8000]]) {
        const requests = chain(tool, direct, pauses)
        for (const one of requests) {
          expect(one.interim?.everyMs ?? one.holdMs).toBeLessThanOrEqual(tool === 'uv' ? 27_000 : 12_000)
          expect(one.interim?.count ?? 0).toBeLessThan(99)
          if (tool === 'uv') expect(one.interim).toBeUndefined()
        }
        for (let hop = 0; hop <= requests.at(-1)!.hop; hop++) {
          const retries = requests.filter((one) => one.hop === hop && one.then === 'retry').length
          expect(retries, `${tool} on URL ${hop}`).toBeLessThanOrEqual(tool === 'uv' ? 2 : tool === 'pip' ? 4 : 0)
        }
      }
    }
  })

  test.each([['pip', false, 29, 141, 28 * 64 + 12], ['uv', true, 11, 31, 25 + 10 * 77], ['poetry', false, 19, 19, 228], ['other', true, 19, 19, 228]] as const)(
    '%s, direct %s, has %i URLs, %i requests, %i seconds', (tool, direct, urls, requests, seconds) => {
      expect(reach({ client: { tool }, direct, holdLimitMs: undefined })).toEqual({ urls, requests, ms: seconds * 1000 })
      expect(chain(tool, direct, [1000, 1000, 1000, 1000])).toHaveLength(requests)
    })

  test('a limit is the end of every one of them', () => {
    for (const tool of TOOLS) for (const direct of [true, false]) expect(reach({ client: { tool }, direct, holdLimitMs: 100_000 }).ms).toBe(100_000)
  })
})

describe('a direct connection', () => {
  const pip = { httpVersion: '1.1', headers: { 'connection': 'keep-alive', 'user-agent': 'pip/25' } as Record<string, string | string[] | undefined>, tls: false, publicHttps: false, behindProxy: false }

  test('is recognised by what a proxy removes', () => {
    expect(isDirect(pip)).toBe(true)
    expect(isDirect({ ...pip, headers: { Connection: 'Keep-Alive' } })).toBe(true)
    expect(isDirect({ ...pip, tls: true, publicHttps: true })).toBe(true)
    expect(isDirect({ ...pip, headers: { ...pip.headers, via: undefined } })).toBe(true)
  })

  test.each([
    ['HTTP/1.0', { httpVersion: '1.0' }], ['HTTP/2', { httpVersion: '2.0' }], ['no Connection', { headers: {} }], ['Connection: close', { headers: { connection: 'close' } }],
    ['an upgrade', { headers: { connection: 'keep-alive, Upgrade' } }], ['Via', { headers: { ...pip.headers, via: '1.1 proxy' } }],
    ['Forwarded', { headers: { ...pip.headers, Forwarded: 'for=1.2.3.4' } }], ['X-Forwarded-For', { headers: { ...pip.headers, 'x-forwarded-for': ['1.2.3.4'] } }],
    ['X-Forwarded-Proto', { headers: { ...pip.headers, 'x-forwarded-proto': '' } }], ['the setting', { behindProxy: true }], ['https outside, plain inside', { publicHttps: true }],
  ])('%s is doubt enough', (_, changed) => expect(isDirect({ ...pip, ...changed })).toBe(false))
})
