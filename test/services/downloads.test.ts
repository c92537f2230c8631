import { afterEach, beforeEach, expect, test } from 'vitest'
import { pino } from 'pino'
import { parseUserAgent } from '../../src/domain/client.ts'
import { createDownloads } from '../../src/services/downloads.ts'
import type { DownloadStore } from '../../src/services/ports.ts'
import { type Bench, makeBench, TARGET } from './bench.ts'

type Add = Parameters<DownloadStore['add']>[0]

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

const pip = parseUserAgent('pip/25.1.1 {"python":"3.13.5"}')
const one = { sha256: 'a'.repeat(64), filename: 'a.whl', client: pip, address: '10.0.0.1' }

/** Counts into the bench's database; what each write held, and whether the next ones fail. */
function counting() {
  const writes: Add[] = []
  const state = { fail: false }
  const lines: string[] = []
  const downloads = createDownloads({
    targets: [TARGET],
    clock: bench.clock,
    log: pino({ level: 'debug' }, { write: (line) => { lines.push(line) } }),
    downloads: {
      ...bench.store.downloads,
      async add(batch) {
        if (state.fail) throw new Error('the disk is full')
        writes.push(batch)
        await bench.store.downloads.add(batch)
      },
    },
  })
  return { downloads, writes, state, lines, files: async () => (await bench.store.downloads.totals()).files }
}

test('what is served is written in one go, three seconds after the first', async () => {
  const { downloads, writes } = counting()
  const began = bench.clock.now()
  downloads.served(one)
  await bench.clock.advance(2_000)
  downloads.served({ ...one, filename: 'b.whl', address: '10.0.0.2' })
  await bench.clock.advance(999)
  expect(writes).toEqual([])
  await bench.clock.advance(1)
  await downloads.flush()
  const { sha256 } = one
  expect(writes).toEqual([[
    { sha256, filename: 'a.whl', client: '10.0.0.1', at: began }, { sha256, filename: 'b.whl', client: '10.0.0.2', at: began + 2_000 },
  ]])
  await bench.clock.advance(60_000)
  expect(writes).toHaveLength(1)
  downloads.served(one)
  await bench.clock.advance(3_000)
  await downloads.flush()
  expect(writes).toHaveLength(2)
})

test.each([
  ['pip/25.1.1 {}', true], ['uv/0.13.9 {}', true], ['poetry/2.5.1 CPython/3.13', true], ['pdm/2.29.3 CPython/3.13', true],
  ['pip/25.1.1 {"user_data":"muslin-builder"}', false], ['twine/7.0.0 CPython/3.13', false], ['Mozilla/5.0 (X11)', false], ['curl/8.5.0', false], ['', false],
])('%s counts: %s', async (agent, counts) => {
  const { downloads, files } = counting()
  downloads.served({ ...one, client: parseUserAgent(agent) })
  await downloads.flush()
  expect(await files()).toBe(counts ? 1 : 0)
})

test('a release is wanted once a client and hour, by the target of its client', async () => {
  const { downloads } = counting()
  const musl = parseUserAgent('pip/22.3.1 {"python":"3.13.5","implementation":{"name":"CPython"},"system":{"name":"Linux"},"cpu":"x86_64","distro":{"name":"Alpine Linux","version":"3.22"}}')
  const file = { ...one, filename: 'six-1.16.0-py2.py3-none-any.whl', client: musl }
  for (const address of ['a', 'a', 'b']) downloads.served({ ...file, address })
  downloads.served({ ...file, client: pip, address: 'c' })
  await bench.clock.advance(3_600_000)
  downloads.served({ ...file, address: 'a' })
  await downloads.flush()
  expect(await bench.store.downloads.demand(TARGET)).toEqual([{ project: 'six', version: '1.16.0', downloads: 3 }])
  expect((await bench.store.downloads.totals()).files).toBe(5)
})

test('a client that asks all the time counts in every hour', async () => {
  const { downloads } = counting()
  const client = parseUserAgent('pip/22.3.1 {"python":"3.13.5","implementation":{"name":"CPython"},"system":{"name":"Linux"},"cpu":"x86_64","distro":{"name":"Alpine Linux","version":"3.22"}}')
  for (let half = 0; half < 12; half++) {
    downloads.served({ ...one, filename: 'six-1.16.0-py2.py3-none-any.whl', client })
    await bench.clock.advance(30 * 60_000)
  }
  await downloads.flush()
  expect(await bench.store.downloads.demand(TARGET)).toEqual([{ project: 'six', version: '1.16.0', downloads: 6 }])
})

test('what cannot be written is logged, kept, and written the next time', async () => {
  const { downloads, state, lines, files } = counting()
  state.fail = true
  downloads.served(one)
  await bench.clock.advance(3_000)
  await downloads.flush()
  expect(lines.join('')).toContain('the disk is full')
  downloads.served(one)
  state.fail = false
  await bench.clock.advance(3_000)
  await downloads.flush()
  expect(await files()).toBe(2)
})

test('the end writes the rest, and nothing is counted after it', async () => {
  const { downloads, files } = counting()
  downloads.served(one)
  await downloads.close()
  expect(await files()).toBe(1)
  downloads.served(one)
  await downloads.flush()
  expect(await files()).toBe(1)
})

test('an end without a database gives up', async () => {
  const { downloads, state, lines } = counting()
  state.fail = true
  downloads.served(one)
  await downloads.close()
  await bench.clock.advance(60_000)
  expect(lines.filter((line) => line.includes('could not be counted')).length).toBeLessThanOrEqual(2)
})

test('many at once are written in parts, each of them once', async () => {
  const { downloads, writes, files } = counting()
  for (let n = 0; n < 1_200; n++) downloads.served({ ...one, filename: `${n}.whl` })
  await Promise.all([downloads.flush(), downloads.flush()])
  expect(writes.map((batch) => batch.length)).toEqual([500, 500, 200])
  expect(await files()).toBe(1_200)
  expect(new Set(writes.flat().map(({ filename }) => filename)).size).toBe(1_200)
})
