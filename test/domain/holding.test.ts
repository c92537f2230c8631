import { describe, expect, test } from 'vitest'
import { holdPlan, isDirect, type HoldPlan } from '../../src/domain/holding.ts'
import type { Client } from '../../src/domain/client.ts'

const TOOLS: Client['tool'][] = ['pip', 'uv', 'poetry', 'pdm', 'twine', 'browser', 'other']
const plan = (tool: Client['tool'], direct: boolean, hop: number) => holdPlan({ client: { tool }, direct, hop })
const held = (then: HoldPlan['then']): HoldPlan => ({ interim: { everyMs: 8_000, count: 90 }, holdMs: 720_000, then })
const silent = (holdMs: number, then: HoldPlan['then']): HoldPlan => ({ holdMs, then })

test.each<[Client['tool'], boolean, number, HoldPlan]>([
  ['pip', true, 0, held('hop')],
  ['pip', true, 27, held('hop')],
  ['pip', true, 28, held('end')],
  ['pip', false, 0, silent(12_000, 'hop')],
  ['pip', false, 27, silent(12_000, 'hop')],
  ['pip', false, 28, silent(12_000, 'end')],
  ['pip', false, 1000, silent(12_000, 'end')],
  ['uv', false, 0, silent(25_000, 'hop')],
  ['uv', true, 0, silent(25_000, 'hop')],
  ['uv', true, 9, silent(25_000, 'hop')],
  ['uv', true, 10, silent(25_000, 'end')],
  ['poetry', true, 17, held('hop')],
  ['poetry', true, 18, held('end')],
  ['poetry', false, 17, silent(12_000, 'hop')],
  ['pdm', true, 0, held('hop')],
  ['pdm', false, 18, silent(12_000, 'end')],
  ['other', true, 0, silent(12_000, 'hop')],
  ['other', true, 17, silent(12_000, 'hop')],
  ['other', true, 18, silent(12_000, 'end')],
  ['browser', true, 0, silent(12_000, 'hop')],
])('%s, direct %s, hop %i', (tool, direct, hop, expected) => expect(plan(tool, direct, hop)).toEqual(expected))

describe('for every client', () => {
  const chain = (tool: Client['tool'], direct: boolean) => {
    const urls: HoldPlan[] = []
    do urls.push(plan(tool, direct, urls.length)); while (urls.at(-1)!.then === 'hop')
    return urls
  }

  test.each(TOOLS)('%s is never left without a word longer than it endures, nor sent on too often', (tool) => {
    for (const direct of [true, false]) {
      for (const url of chain(tool, direct)) {
        expect(url.interim?.everyMs ?? url.holdMs).toBeLessThanOrEqual(tool === 'uv' ? 27_000 : 12_000)
        expect(url.interim?.count ?? 0).toBeLessThan(99)
        if (tool === 'uv') expect(url.interim).toBeUndefined()
      }
    }
  })

  test.each([['pip', 29, 348], ['uv', 11, 275], ['poetry', 19, 228], ['other', 19, 228]] as const)('%s behind a proxy: %i URLs, %i seconds', (tool, urls, seconds) => {
    expect(chain(tool, false)).toHaveLength(urls)
    expect(chain(tool, false).reduce((sum, { holdMs }) => sum + holdMs, 0)).toBe(seconds * 1000)
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
