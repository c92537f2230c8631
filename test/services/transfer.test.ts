import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFiles, type Files } from '../../src/services/files.ts'
import type { Upstream } from '../../src/services/ports.ts'
import { sha256, type SyntheticFile, type SyntheticUpstream } from '../synthetic-upstream.ts'
import { type Bench, silent } from './bench.ts'
import { makeFilesBench } from './files-bench.ts'

const NAME = 'p-1.0.tar.gz'
const BYTES = randomBytes(1_000_000)
const DIGEST = sha256(BYTES)
const code = (expected: string) => expect.objectContaining({ code: expected })

let bench: Bench
let index: SyntheticUpstream
let upstream: Upstream
let files: Files
let close: () => Promise<void>
beforeEach(async () => { ({ bench, index, upstream, files, close } = await makeFilesBench()) })
afterEach(() => close())

/** Serves the file and records it with the size that its page would tell, if any. */
async function record(change: Partial<SyntheticFile> = {}, size: number | null = BYTES.length): Promise<void> {
  const file = { filename: NAME, bytes: BYTES, ranges: true, tag: '"1"', ...change }
  index.project('p', [file])
  const url = new URL(`/packages/${DIGEST.slice(0, 8)}/${file.filename}`, index.url).href
  await bench.store.pages.put({ project: 'p', json: Buffer.from('{}'), url: `${index.url}p/`, validator: undefined, freshness: undefined, fetchedAt: 0 }, [{ sha256: DIGEST, filename: file.filename, project: 'p', url, metadata: undefined, size: size ?? undefined }])
}

async function read(range?: { start: number; end: number }): Promise<{ body: Readable; length: number | undefined; unchecked?: boolean }> {
  return (await files.open(DIGEST, NAME)).read(range)
}

const whole = async () => sha256(await buffer((await read()).body))
/** The ranges that were asked for, '' for the whole. */
const never = new Promise<void>(() => {})
const asked = () => index.requests.flatMap((line, at) => line.includes('/packages/') ? [index.headers[at]?.range ?? ''] : [])

describe('one transfer', () => {
  test('feeds a hundred readers from its first bytes on, also when the one who began it is cut off', async () => {
    const until = Promise.withResolvers<void>()
    await record({ stall: { after: 100_000, until: until.promise } })
    const readers = await Promise.all(Array.from({ length: 100 }, () => read()))
    // All of them have something to read before the upstream has sent the rest.
    const firsts = await Promise.all(readers.map(async ({ body }) => { await once(body, 'readable'); return (body.read() as Buffer).length }))
    expect(Math.min(...firsts)).toBeGreaterThan(0)
    readers[0]!.body.destroy()
    const rest = readers.slice(1).map(async ({ body }, at) => (await buffer(body)).length + firsts[at + 1]!)
    until.resolve()
    expect(new Set(await Promise.all(rest))).toEqual(new Set([BYTES.length]))
    expect(await whole()).toBe(DIGEST)
    expect(asked()).toEqual([''])
  })

  test('gives a hundred readers the right bytes', async () => {
    await record()
    const digests = await Promise.all(Array.from({ length: 100 }, whole))
    expect(new Set(digests)).toEqual(new Set([DIGEST]))
    expect(asked()).toEqual([''])
  })

  test('withholds the end until the digest was found right', async () => {
    const forged = Buffer.from(BYTES)
    forged[5] = forged[5]! ^ 1
    await record({ sent: forged })
    const { body, length } = await read()
    expect(length).toBe(BYTES.length)
    let received = 0
    await expect((async () => { for await (const chunk of body) received += (chunk as Buffer).length })()).rejects.toEqual(code('digest-mismatch'))
    expect(received).toBeLessThan(BYTES.length)
    expect(await bench.blobs.stat(sha256(forged))).toBeUndefined()
  })

  test('of another size than its page says is shown to nobody before it was checked', async () => {
    await record({ sent: Buffer.concat([BYTES, BYTES]) })
    await expect(read()).rejects.toEqual(code('digest-mismatch'))
    await record({}, 17)
    expect(await whole()).toBe(DIGEST)
  })

  test('that does not end, and tells no size, ends not far from where its page says', async () => {
    await record({ sent: Buffer.concat(Array.from({ length: 30 }, () => BYTES)), unsized: true })
    await expect(buffer((await read()).body)).rejects.toEqual(code('digest-mismatch'))
  })

  test('of far more bytes than its page says is not fetched', async () => {
    await record({ sent: Buffer.concat(Array.from({ length: 30 }, () => BYTES)) })
    await expect(read()).rejects.toMatchObject({ code: 'digest-mismatch', detail: expect.stringContaining('far more than its page says') })
  })

  test.each([['more', BYTES.length + 5000], ['fewer', 4000]])('that tells no size is what its digest says, although its page says that it has %s bytes', async (_what, size) => {
    await record({ unsized: true }, size)
    const { body, length } = await read()
    expect([length, sha256(await buffer(body))]).toEqual([undefined, DIGEST])
    expect(asked()).toEqual([''])
  })

  test('holds up nobody who wants the same bytes from elsewhere', async () => {
    await record({ filename: 'evil-1.0.tar.gz', stall: { after: 2000, until: never } })
    const { body } = await (await files.open(DIGEST, 'evil-1.0.tar.gz')).read()
    body.on('error', () => {})
    await record()
    expect(await whole()).toBe(DIGEST)
  })

  test('is of one upstream: who is asked with the credentials of another has one of his own', async () => {
    await record({ stall: { after: 2000, until: never } })
    let source = ''
    const named: typeof bench.store.pages.file = async (...pair) => ({ ...(await bench.store.pages.file(...pair))!, source })
    const of = createFiles({ ...bench, store: { ...bench.store, pages: { ...bench.store.pages, file: named } }, upstream, log: silent })
    for (source of ['one', 'other', 'one']) (await (await of.open(DIGEST, NAME)).read()).body.on('error', () => {})
    expect(asked()).toEqual(['', ''])
    await of.close()
  })

  test('ends when the server does', async () => {
    await record({ stall: { after: 100_000, until: new Promise(() => {}) } })
    const { body } = await read()
    const closed = files.close()
    await expect(buffer(body)).rejects.toThrow('shutting down')
    await closed
  })
})

describe('a transfer that breaks', () => {
  test('goes on where it broke, and its readers notice nothing', async () => {
    await record({ breaks: [400_000, 200_000] })
    const reading = whole()
    await bench.clock.began(500)
    await bench.clock.advance(500)
    expect(await reading).toBe(DIGEST)
    expect(asked()).toEqual(['', expect.stringMatching(/^bytes=[1-9][0-9]{4,5}-$/), expect.stringMatching(/^bytes=[1-9][0-9]{4,5}-$/)])
    expect(index.headers.at(-1)).toMatchObject({ 'if-range': '"1"' })
  })

  test('takes what is missing out of the whole where the upstream has no ranges', async () => {
    await record({ breaks: [400_000], ranges: false })
    expect(await whole()).toBe(DIGEST)
    expect(asked()).toEqual(['', expect.stringMatching(/^bytes=[1-9][0-9]{4,5}-$/)])
  })

  test('begins anew where the file is another one by now: who read the older one is cut, the next gets the right one', async () => {
    const stale = randomBytes(BYTES.length)
    const broken = Promise.withResolvers<void>()
    await record({ sent: stale, stall: { after: 500_000, until: broken.promise } })
    const reading = buffer((await read()).body)
    reading.catch(() => {})
    const next = files.blob(DIGEST, NAME)
    await record({ tag: '"2"' })
    index.cut()
    await expect(reading).rejects.toEqual(code('upstream-unreachable'))
    expect(sha256(await buffer(await next))).toBe(DIGEST)
    expect(asked()).toHaveLength(2)
    broken.resolve()
  })

  test('goes on with no other size: readers were told the first one, and get no byte beyond', async () => {
    await record({ sent: BYTES.subarray(0, 4000), stall: { after: 3000, until: never } }, null)
    const { body, length } = await read()
    await record({}, null)
    index.cut()
    let received = 0
    await expect((async () => { for await (const chunk of body) received += (chunk as Buffer).length })()).rejects.toEqual(code('upstream-bad-answer'))
    expect([length, received < 4000]).toEqual([4000, true])
  })

  test('begins anew with another size: who comes then is told that one', async () => {
    const until = Promise.withResolvers<void>()
    await record({ sent: randomBytes(600_000), stall: { after: 500_000, until: never } }, null)
    const older = await read()
    const cut = expect(buffer(older.body)).rejects.toEqual(code('upstream-unreachable'))
    await record({ tag: '"2"', stall: { after: 500_000, until: until.promise } }, null)
    index.cut()
    await cut
    const newer = await read()
    expect([older.length, newer.length]).toEqual([600_000, BYTES.length])
    until.resolve()
    expect(sha256(await buffer(newer.body))).toBe(DIGEST)
    expect(asked()).toHaveLength(2)
  })

  test('is taken up where it ended too early without having told its size', async () => {
    const until = Promise.withResolvers<void>()
    await record({ sent: BYTES.subarray(0, 400_000), unsized: true, stall: { after: 200_000, until: until.promise } })
    const { body } = await read()
    await record()
    until.resolve()
    expect(sha256(await buffer(body))).toBe(DIGEST)
    expect(asked()).toEqual(['', 'bytes=400000-'])
  })

  test.each<[string, Partial<SyntheticFile>, string, number[]]>([
    ['is taken up where it is', {}, DIGEST, [60_000]],
    ['is given up where it goes on like that', { stall: { after: 3000, until: never } }, 'upstream-timeout', [60_000, 60_000, 2000, 60_000]],
  ])('by dripping %s', async (_what, again, answer, pauses) => {
    await record({ stall: { after: 3000, until: never } })
    const { body } = await read()
    const reading = buffer(body).then(sha256, (error: { code: string }) => error.code)
    await record(again)
    for (const pause of pauses) {
      await bench.clock.began(pause)
      await bench.clock.advance(pause)
    }
    expect(await reading).toBe(answer)
  })

  test('again and again without getting further is given up, and says why', async () => {
    await record({ breaks: Array.from({ length: 20 }, () => 5) })
    const reading = expect(whole()).rejects.toEqual(code('upstream-unreachable'))
    for (const pause of [500, 1000, 2000, 4000, 8000]) {
      await bench.clock.began(pause)
      await bench.clock.advance(pause)
    }
    await reading
    expect(asked().length).toBeGreaterThanOrEqual(7)
    expect(await bench.blobs.stat(DIGEST)).toBeUndefined()
  })
})

describe('a part of a file that is not here', () => {
  test('is asked from the upstream by itself, and nothing of it is kept', async () => {
    await record()
    const { body, length, unchecked } = await read({ start: 999_990, end: 999_999 })
    expect([length, unchecked]).toEqual([10, true])
    expect(BYTES.subarray(-10).equals(await buffer(body))).toBe(true)
    expect(asked()).toEqual(['bytes=999990-999999'])
    expect(await bench.blobs.stat(DIGEST)).toBeUndefined()
  })

  test('comes out of the transfer that has it already', async () => {
    const until = Promise.withResolvers<void>()
    await record({ stall: { after: 500_000, until: until.promise } })
    const { body } = await read()
    await once(body, 'readable')
    const part = await read({ start: 100, end: 899 })
    expect([part.unchecked, BYTES.subarray(100, 900).equals(await buffer(part.body))]).toEqual([true, true])
    expect(asked()).toEqual([''])
    until.resolve()
    expect((await buffer(body)).length).toBeGreaterThan(0)
  })

  test('comes out of the whole where the upstream has no ranges, and its end only after the digest', async () => {
    await record({ ranges: false })
    const first = await read({ start: 5, end: 9 })
    expect([first.unchecked, BYTES.subarray(5, 10).equals(await buffer(first.body))]).toEqual([true, true])
    const last = await read({ start: 999_990, end: 999_999 })
    expect(BYTES.subarray(-10).equals(await buffer(last.body))).toBe(true)
  })

  test('is no part of a file of another size than was told', async () => {
    for (const change of [{ unsized: true, ranges: false }, { ranges: false }, { ranges: true }]) {
      await record(change, BYTES.length - 5)
      for (const range of [{ start: 5, end: 9 }, { start: 0, end: BYTES.length - 6 }]) {
        await bench.blobs.remove(DIGEST)
        await expect(read(range)).rejects.toEqual(code('upstream-bad-answer'))
      }
    }
    expect(await whole()).toBe(DIGEST)
  })

  test('comes out of the whole where the upstream has neither ranges nor a size', async () => {
    await record({ unsized: true, ranges: false })
    const { body, length } = await read({ start: 5, end: 9 })
    expect([length, BYTES.subarray(5, 10).equals(await buffer(body))]).toEqual([5, true])
  })

  test('from the first byte to the last is the whole', async () => {
    await record()
    const { body, unchecked } = await read({ start: 0, end: BYTES.length - 1 })
    expect([unchecked, sha256(await buffer(body))]).toEqual([undefined, DIGEST])
    expect(asked()).toEqual([''])
  })

  test('that comes too short is an error', async () => {
    await record({ sent: BYTES.subarray(0, 1000) })
    await expect(read({ start: 990, end: 1200 }).then(({ body }) => buffer(body))).rejects.toEqual(code('upstream-bad-answer'))
  })
})

test('the size of a file that is not here: its page\'s, or the upstream\'s by the smallest question', async () => {
  await record()
  expect((await files.open(DIGEST, NAME)).size).toBe(BYTES.length)
  expect(asked()).toEqual([])
  for (const ranges of [true, false]) {
    await bench.store.pages.put({ project: 'p', json: Buffer.from('{}'), url: `${index.url}p/`, validator: undefined, freshness: undefined, fetchedAt: 0 }, [])
    const other = createFiles({ ...bench, store: { ...bench.store, pages: { ...bench.store.pages, file: async (...pair) => ({ ...(await bench.store.pages.file(...pair))!, size: undefined }) } }, upstream, log: silent })
    await record({ ranges })
    const file = await other.open(DIGEST, NAME)
    expect([file.size, await file.measure?.()]).toEqual([undefined, BYTES.length])
  }
  expect(asked()).toEqual(['bytes=0-0', 'bytes=0-0'])
})
