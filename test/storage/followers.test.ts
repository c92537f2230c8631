import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFollowers } from '../../src/storage/followers.ts'
import { temporaryFolder } from './folder.ts'

const CHUNK = 64 * 1024

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let drafts = 0
beforeAll(async () => { folder = await temporaryFolder() })
afterAll(() => folder.remove())

/** A file that is written to and followed, with a count of the reads of it. */
async function written(bytes: Buffer) {
  const handle = await open(join(folder.folder, String(drafts++)), 'w+')
  let reads = 0
  const file = new Proxy(handle, { get: (target, key) => {
    if (key !== 'read') return Reflect.get(target, key) as unknown
    return (...given: Parameters<typeof handle.read>) => { reads += 1; return target.read(...given) }
  } })
  const followers = createFollowers(file, async () => {})
  return {
    followers,
    async add(from: number, to: number) {
      const piece = bytes.subarray(from, to)
      await handle.write(piece, 0, piece.length, from)
      followers.wrote(piece)
    },
    reads: () => reads,
    close: () => handle.close(),
  }
}

test('those who have fallen behind share what is read', async () => {
  const bytes = Buffer.alloc(16 * CHUNK, 'what is followed ')
  const draft = await written(bytes)
  await draft.add(0, bytes.length)
  const streams = Array.from({ length: 20 }, () => draft.followers.follow({}))
  const got = Promise.all(streams.map((stream) => buffer(stream)))
  draft.followers.end()
  for (const one of await got) expect(one.equals(bytes)).toBe(true)
  expect(draft.reads()).toBe(16)
  // Nobody is left, so nothing is kept; and who is alone keeps nothing for others.
  for (const reads of [32, 48]) {
    expect((await buffer(draft.followers.follow({}))).equals(bytes)).toBe(true)
    expect(draft.reads()).toBe(reads)
  }
  await draft.close()
})

test('whatever is written when, and whoever reads which part, each gets its very bytes', async () => {
  const size = 5 * CHUNK + 333
  const bytes = Buffer.from(Array.from({ length: size }, (_, at) => at % 251))
  await fc.assert(fc.asyncProperty(
    fc.uniqueArray(fc.integer({ min: 1, max: size - 1 }), { maxLength: 6 }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: size - 1 }), fc.integer({ min: 0, max: size - 1 }), fc.boolean()), { minLength: 1, maxLength: 5 }),
    async (cuts, parts) => {
      const draft = await written(bytes)
      const ends = [...cuts.toSorted((a, b) => a - b), size]
      const asked = parts.map(([a, b, gated]) => ({ start: Math.min(a, b), end: Math.max(a, b), withhold: gated ? 1024 : 0 }))
      const got = asked.map(({ start, end, withhold }) => buffer(draft.followers.follow({ range: { start, end }, withhold })))
      for (const [at, to] of ends.entries()) await draft.add(at === 0 ? 0 : ends[at - 1]!, to)
      draft.followers.end()
      for (const [at, { start, end }] of asked.entries()) expect((await got[at])!.equals(bytes.subarray(start, end + 1))).toBe(true)
      await draft.close()
    },
  ), { numRuns: 30 })
})
