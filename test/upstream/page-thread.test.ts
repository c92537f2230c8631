import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSideThread } from '../../src/services/side-thread.ts'
import { readPage } from '../../src/upstream/page.ts'
import { manualClock } from '../manual-clock.ts'

let thread: ReturnType<typeof createSideThread>
beforeEach(() => { thread = createSideThread({ clock: manualClock(), thread: new URL('../fixtures/crashing-side-thread.ts', import.meta.url) }) })
afterEach(() => thread.close())

const URL_OF_PAGE = new URL('https://upstream.example/simple/p/')
const FILES = Array.from({ length: 2000 }, (_, at) => ({
  filename: `p-${at}.0.tar.gz`, url: `../../files/p-${at}.0.tar.gz`, hashes: { sha256: createHash('sha256').update(String(at)).digest('hex') },
  'size': at, 'upload-time': '2024-05-06T07:08:09.5Z', 'core-metadata': at % 2 === 0, 'extra': 'x'.repeat(100),
}))
const JSON_PAGE = Buffer.from(`\ufeff${JSON.stringify({ meta: { 'api-version': '1.4' }, name: 'p', files: FILES })}`)
const HTML_PAGE = Buffer.from(`<title>Links for p</title>${FILES.map(({ url, hashes, filename }) => `<a href="${url}#sha256=${hashes.sha256}" data-requires-python="&gt;=3">${filename}</a>`).join('\n')}${' '.repeat(1000)}`)

const read = (bytes: Buffer, more: Partial<Parameters<typeof readPage>[1]> = {}) => readPage(bytes, { project: 'p', url: URL_OF_PAGE, setting: 'upstream', ...more })

test.each([['JSON', JSON_PAGE], ['HTML', HTML_PAGE]])('a big page in %s is read there as here', async (_kind, bytes) => {
  expect(thread.isFor(bytes.length)).toBe(true)
  const [here, there] = [await read(bytes), await read(bytes, { thread })]
  expect(there.files).toEqual(here.files)
  expect(there.files).toHaveLength(FILES.length)
  expect(there.json.equals(here.json)).toBe(true)
})

test('what it names is looked at wherever it is read', async () => {
  const seen: string[] = []
  await read(JSON_PAGE, { thread, mayName: (at) => { seen.push(at.href); return true } })
  expect(seen).toEqual(FILES.map(({ filename }) => `https://upstream.example/files/${filename}`))
  await expect(read(JSON_PAGE, { thread, mayName: (at) => !at.pathname.endsWith('/p-7.0.tar.gz') })).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('"p-7.0.tar.gz"') })
})

test('what is no page is refused by its own words; what ends the thread is an error, and the next page has another', async () => {
  const none = Buffer.from(`{"meta":{"api-version":"2.0"},"files":[],"x":"${'x'.repeat(300_000)}"}`)
  await expect(read(none, { thread })).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('instead of "1.x"') })
  await expect(read(JSON_PAGE, { thread, project: 'crash' })).rejects.toThrow('ended by itself')
  await expect(read(JSON_PAGE, { thread })).resolves.toBeDefined()
})

test('who waits for a page while all ends is told so', async () => {
  const waiting = expect(read(JSON_PAGE, { thread })).rejects.toMatchObject({ code: 'shutting-down' })
  await thread.close()
  await waiting
})

test('a page that would take all memory is refused before it is parsed', async () => {
  const many = Buffer.from(`{"meta":{"api-version":"1.4"},"files":[],"x":[${'{},'.repeat(3_000_000)}{}]}`)
  for (const more of [{}, { thread }]) await expect(read(many, more)).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('more than 2000000 values') })
})

test('a big page takes this thread little time', async () => {
  const big = Buffer.from(JSON.stringify({ meta: { 'api-version': '1.4' }, name: 'p', files: Array.from({ length: 20 }, () => FILES).flat() }))
  const milliseconds = async (more: Parameters<typeof read>[1]): Promise<number> => {
    const before = process.threadCpuUsage()
    await read(big, more)
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  }
  // The least of five: this thread also tidies up after other tests.
  const [here, there]: [number[], number[]] = [[], []]
  for (let round = 0; round < 5; round++) {
    here.push(await milliseconds({}))
    there.push(await milliseconds({ thread }))
  }
  // What is left is the copying of the bytes, and of what was found.
  expect(Math.min(...there)).toBeLessThan(Math.min(...here) * 0.7)
})
