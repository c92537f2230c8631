import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import toolchain from '../../builders/embedded/toolchain.json' with { type: 'json' }
import { systemClock } from '../../src/clock.ts'
import { toolchainChecks } from '../../src/doctor/toolchain.ts'
import { clockCheck, clockFound, findUpstreams, upstreamChecks } from '../../src/doctor/upstream.ts'
import { createDiskBlobs } from '../../src/storage/disk-blobs.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { type SyntheticUpstream, syntheticUpstream } from '../synthetic-upstream.ts'

let upstream: SyntheticUpstream
beforeEach(async () => { upstream = await syntheticUpstream() })
afterEach(() => upstream.close())

const source = (...urls: string[]) => findUpstreams({ settings: { upstream: urls.length === 0 ? [upstream.url] : urls, upstreams: {}, upstreamCa: undefined, allowedFileHosts: [] }, pip: undefined, log: pino({ level: 'silent' }), clock: systemClock })

describe('the upstream', () => {
  test('answers, with or without the project that is asked for', async () => {
    expect(await upstreamChecks(await source())).toEqual([{ state: 'ok', name: 'upstream', found: `${upstream.url}, from the setting upstream, answers, and has no project pip`, remedy: undefined }])
    upstream.project('pip', [{ filename: 'pip-1.0-py3-none-any.whl', bytes: Buffer.from('x') }])
    expect(await upstreamChecks(await source())).toMatchObject([{ state: 'ok', found: `${upstream.url}, from the setting upstream, answers` }])
    expect(upstream.requests).toEqual(['GET /simple/pip/', 'GET /simple/pip/'])
  })

  test('that refuses or is not there fails, with cause and remedy, and never with its credentials', async () => {
    upstream.break(401)
    const [check] = await upstreamChecks(await source(upstream.url.replace('//', '//me:secret@')))
    expect(check).toMatchObject({ state: 'fail', found: expect.stringContaining('401'), remedy: expect.stringMatching(/credentials/) })
    expect(JSON.stringify(check)).not.toContain('secret')
    expect(await upstreamChecks(await source('http://127.0.0.1:1/simple/'))).toMatchObject([{ state: 'fail', found: expect.stringContaining('ECONNREFUSED'), remedy: expect.stringContaining('network') }])
    expect(await clockCheck(await source('http://127.0.0.1:1/simple/'), systemClock)).toEqual([])
  })
})

test('each upstream is looked at for itself', async () => {
  const checks = await upstreamChecks(await source('http://127.0.0.1:1/simple/', upstream.url))
  expect(checks.map(({ state, found }) => [state, found.split(',')[0]])).toEqual([['fail', 'http://127.0.0.1:1/simple/'], ['ok', upstream.url]])
  expect(await clockCheck(await source('http://127.0.0.1:1/simple/', upstream.url), systemClock)).toHaveLength(1)
})

describe('the clock', () => {
  test('of the upstream is asked for, whatever it answers', async () => {
    upstream.break(503)
    expect(await clockCheck(await source(), systemClock)).toEqual([{ state: 'ok', name: 'clock', found: 'agrees with the upstream\'s', remedy: undefined }])
    const off = { ...systemClock, now: () => Date.now() + 3_600_000 }
    expect(await clockCheck(await source(), off)).toMatchObject([{ state: 'warn', found: expect.stringMatching(/^(59 min|1 h).* ahead of the upstream's$/), remedy: expect.stringContaining('NTP') }])
  })

  const ours = Date.parse('2026-11-21T12:00:00Z')
  test.each<[string, string | undefined, number, string, string]>([
    ['within a minute', 'Sat, 21 Nov 2026 12:00:59 GMT', 0, 'ok', 'agrees'],
    ['behind', 'Sat, 21 Nov 2026 12:02:00 GMT', 0, 'warn', '2 min behind'],
    ['ahead', 'Sat, 21 Nov 2026 11:00:00 GMT', 0, 'warn', '1 h ahead of'],
    ['a cache\'s answer', 'Sat, 21 Nov 2026 11:00:00 GMT', 3600, 'ok', 'agrees'],
    ['no date', undefined, 0, 'ok', 'not compared'],
    ['an age that is none', 'Sat, 21 Nov 2026 12:00:00 GMT', NaN, 'ok', 'agrees'],
  ])('%s', (_what, date, age, state, found) => {
    expect(clockFound({ date, age, ours })).toMatchObject({ state, found: expect.stringContaining(found) })
  })
})

describe('the toolchain', () => {
  const zig = toolchain.zig.files.x86_64
  const pip = toolchain.pip.files.any
  const hashed = (sha256: string) => ({ keys: { hashes: { sha256 } } })

  test('is listed by the upstream with the digest that is pinned, or is here already', async () => {
    const { folder, remove } = await temporaryFolder()
    const blobs = createDiskBlobs({ folder })
    try {
      upstream.project('ziglang', [{ filename: zig.filename, bytes: Buffer.from('x'), ...hashed(zig.sha256) }])
      upstream.project('pip', [{ filename: pip.filename, bytes: Buffer.from('x'), ...hashed('0'.repeat(64)) }])
      const looked = () => source().then((known) => known.use((client) => toolchainChecks({ upstream: client, blobs, cpu: 'x86_64' })))
      expect(await looked()).toMatchObject([{ state: 'ok', found: expect.stringMatching(/^ziglang .* is fetched at the first build \(\d+ MB\)/) }, { state: 'fail', found: expect.stringContaining(pip.filename) }])
      expect(await toolchainChecks({ upstream: { page: () => { throw new Error('nothing is asked') } }, blobs: { stat: async () => ({ size: 1 }) }, cpu: 'x86_64' }))
        .toMatchObject([{ state: 'ok', found: expect.stringContaining('is here') }, { state: 'ok' }])
      expect(await source().then((known) => known.use((client) => toolchainChecks({ upstream: client, blobs, cpu: 'riscv64' })))).toMatchObject([{ state: 'fail', found: expect.stringContaining('runs on riscv64') }, {}])
    } finally {
      blobs.close()
      await remove()
    }
  })
})
