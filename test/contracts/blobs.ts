import { createHash, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlobStore } from '../../src/services/ports.ts'
import { all } from '../all.ts'

/** What every blob store does, whatever it keeps its bytes in. `make` gives an empty one. */
export function blobContract(name: string, make: () => Promise<{ store: BlobStore; cleanup: () => Promise<void> }>): void {
  describe(`${name} as a blob store`, () => {
    let store: BlobStore
    let cleanup: () => Promise<void>
    beforeEach(async () => { ({ store, cleanup } = await make()) })
    afterEach(() => cleanup())

    test('what was kept is read back, whole and in ranges with both ends included', async () => {
      const bytes = randomBytes(3 * 1024 * 1024 + 17)
      const { sha256, size } = await keep(store, bytes)
      expect({ sha256, size }).toEqual({ sha256: digest(bytes), size: bytes.length })
      expect(await store.stat(sha256)).toEqual({ size })
      expect(bytes.equals(await buffer(await store.read(sha256)))).toBe(true)
      for (const [start, end] of [[0, 0], [5, 9], [1024 * 1024 - 1, 1024 * 1024], [size - 1, size - 1]] as const) {
        expect(bytes.subarray(start, end + 1).equals(await buffer(await store.read(sha256, { start, end })))).toBe(true)
      }
    })

    test('a look gives the bytes of a small blob and the size of any; a reader fills the caller\'s memory', async () => {
      const bytes = randomBytes(300_000)
      const { sha256 } = await keep(store, bytes)
      expect(await store.look(sha256, 299_999)).toEqual({ size: 300_000 })
      expect((await store.look(sha256, 300_000))?.bytes?.equals(bytes)).toBe(true)
      for (const absent of [digest('never kept'), '../../etc/passwd', '']) expect(await store.look(absent, 10)).toBeUndefined()
      const reader = await store.reader(sha256)
      await store.remove(sha256)
      const into = Buffer.alloc(1000)
      expect([await reader.read(into, 5), into.equals(bytes.subarray(5, 1005))]).toEqual([1000, true])
      expect([await reader.read(into, 299_990), await reader.read(into, 300_000)]).toEqual([10, 0])
      // Of a read that is under way nothing may go elsewhere.
      const last = reader.read(into, 7)
      await reader.close()
      expect([await last, into.equals(bytes.subarray(7, 1007))]).toEqual([1000, true])
      await expect(store.reader(sha256)).rejects.toMatchObject({ code: 'no-such-file' })
    })

    test('an empty blob is a blob', async () => {
      const { sha256 } = await keep(store, Buffer.alloc(0))
      expect(await store.stat(sha256)).toEqual({ size: 0 })
      expect(await buffer(await store.read(sha256))).toHaveLength(0)
    })

    test('an absent blob is unknown, and reading it rejects before the first byte', async () => {
      for (const sha256 of ['0'.repeat(64), '../../etc/passwd', '']) {
        expect(await store.stat(sha256)).toBeUndefined()
        await expect(store.read(sha256)).rejects.toMatchObject({ code: 'no-such-file' })
      }
    })

    test('a removed blob is absent, may be kept again, and is read to its end by who had begun', async () => {
      const bytes = randomBytes(5 * 1024 * 1024)
      const { sha256, size } = await keep(store, bytes)
      const reading = await store.read(sha256)
      await store.remove(sha256)
      expect(await store.stat(sha256)).toBeUndefined()
      await expect(store.read(sha256)).rejects.toMatchObject({ code: 'no-such-file' })
      expect(bytes.equals(await buffer(reading))).toBe(true)
      for (const gone of [sha256, '../../etc/passwd', '']) await store.remove(gone)
      await keep(store, bytes)
      expect(await store.stat(sha256)).toEqual({ size })
    })

    test('what is kept is listed, in the order of the digests, and no more once it is removed', async () => {
      expect(await all(store.list())).toEqual([])
      const kept = []
      for (let i = 0; i < 20; i += 1) kept.push(await keep(store, randomBytes(i)))
      const draft = await store.draft()
      await draft.write(Buffer.from('not yet'))
      const listed = await all(store.list())
      expect(listed.map(({ sha256, size }) => ({ sha256, size }))).toEqual(kept.toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1)))
      for (const { keptAt } of listed) expect(Math.abs(keptAt - Date.now())).toBeLessThan(60_000)
      expect(await store.remove(kept[3]!.sha256)).toBe(true)
      expect(await store.remove(kept[3]!.sha256)).toBe(false)
      expect(await all(store.list())).toHaveLength(19)
      await draft.discard()
    })

    test('one that was kept again is as young as that, for who removes what is old', async () => {
      const { sha256 } = await keep(store, Buffer.from('old'))
      expect(await store.remove(sha256, { keptBefore: Date.now() - 60_000 })).toBe(false)
      expect(await store.stat(sha256)).toEqual({ size: 3 })
      const [{ keptAt } = { keptAt: 0 }] = await all(store.list())
      // A disk's clock goes by ticks, behind that of programs: what counts is that a later file is younger.
      const youngest = async (): Promise<number> => Math.max(...(await all(store.list())).map((blob) => blob.keptAt))
      for (let later = 0; await youngest() <= keptAt + 1; later += 1) await keep(store, Buffer.from(`later ${later}`))
      await keep(store, Buffer.from('old'))
      expect(await store.remove(sha256, { keptBefore: keptAt + 1 })).toBe(false)
      expect(await store.remove(sha256, { keptBefore: Date.now() + 60_000 })).toBe(true)
      expect(await store.remove(sha256, { keptBefore: Date.now() + 60_000 })).toBe(false)
      expect(await store.stat(sha256)).toBeUndefined()
    })

    test('one that is set aside is absent, may be kept again, and nothing is wrong with the store', async () => {
      const { sha256 } = await keep(store, Buffer.from('doubtful'))
      for (const one of [sha256, sha256, '../../etc/passwd', '']) await store.setAside(one)
      expect(await store.stat(sha256)).toBeUndefined()
      expect(await all(store.list())).toEqual([])
      await keep(store, Buffer.from('doubtful'))
      await store.setAside(sha256)
      await keep(store, Buffer.from('doubtful'))
      expect(await store.stat(sha256)).toEqual({ size: 8 })
      expect(await all(store.faults())).toEqual([])
    })

    test('nothing of a draft is visible before it is kept', async () => {
      const draft = await store.draft()
      await draft.write(Buffer.from('ha'))
      expect(await draft.sha256()).toBe(digest('ha'))
      const writing = draft.write(Buffer.from('lf'))
      expect(await draft.sha256()).toBe(digest('half'))
      await writing
      expect(await store.stat(digest('half'))).toBeUndefined()
      await draft.keep()
      expect(await store.stat(digest('half'))).toEqual({ size: 4 })
    })

    test('other bytes than expected are not kept', async () => {
      const draft = await store.draft()
      await draft.write(Buffer.from('forged'))
      const reader = settled(buffer(draft.follow()))
      await expect(draft.keep(digest('true'))).rejects.toMatchObject({ code: 'digest-mismatch' })
      expect(await reader).toMatchObject({ code: 'digest-mismatch' })
      expect(await store.stat(digest('forged'))).toBeUndefined()
      await draft.discard()
    })

    test('the same bytes may be kept twice, also at once, and read all the while', async () => {
      const { sha256 } = await keep(store, Buffer.from('twin'))
      const reading = await store.read(sha256)
      await Promise.all([keep(store, Buffer.from('twin')), keep(store, Buffer.from('twin'))])
      expect(String(await buffer(reading))).toBe('twin')
    })

    test('a discarded draft is gone, and writing to it or keeping it fails with the reason', async () => {
      const draft = await store.draft()
      await draft.write(Buffer.from('x'))
      await draft.discard(new Error('the client left'))
      await expect(draft.write(Buffer.from('y'))).rejects.toThrow('the client left')
      await expect(draft.keep()).rejects.toThrow('the client left')
      await expect(buffer(draft.follow())).rejects.toThrow('the client left')
      await draft.discard()
      expect(await store.stat(digest('x'))).toBeUndefined()
    })

    test('discarding after keep changes nothing, so that it may stand in a finally', async () => {
      const draft = await store.draft()
      await draft.write(Buffer.from('stays'))
      const keeping = draft.keep()
      await draft.discard()
      await keeping
      expect(await store.stat(digest('stays'))).toEqual({ size: 5 })
      await expect(draft.write(Buffer.from('more'))).rejects.toThrow('kept')
      expect(await store.stat(digest('stays'))).toEqual({ size: 5 })
    })

    test('writes that are not waited for keep their order', async () => {
      const draft = await store.draft()
      for (let i = 0; i < 100; i += 1) void draft.write(Buffer.from(`${i},`))
      const { sha256 } = await draft.keep()
      expect(String(await buffer(await store.read(sha256)))).toBe(Array.from({ length: 100 }, (_, i) => `${i},`).join(''))
    })

    test('followers get what was written before and after they came, and end when it is kept', async () => {
      const draft = await store.draft()
      const bytes = randomBytes(5 * 1024 * 1024)
      const readers = [buffer(draft.follow())]
      for (let at = 0; at < bytes.length; at += 700_001) {
        await draft.write(bytes.subarray(at, at + 700_001))
        readers.push(buffer(draft.follow()))
      }
      await draft.keep()
      readers.push(buffer(draft.follow()))
      for (const read of await Promise.all(readers)) expect(bytes.equals(read)).toBe(true)
    })

    test('a chunk reaches a follower before the draft ends', async () => {
      const draft = await store.draft()
      const reading = draft.follow()[Symbol.asyncIterator]()
      const first = reading.next()
      await draft.write(Buffer.from('one'))
      expect(String((await first).value)).toBe('one')
      const second = reading.next()
      await draft.write(Buffer.from('two'))
      expect(String((await second).value)).toBe('two')
      const end = reading.next()
      await draft.keep()
      expect((await end).done).toBe(true)
    })

    test('the end is withheld until all is kept, and for ever where it is discarded', async () => {
      const bytes = randomBytes(700_000)
      for (const end of ['keep', 'discard'] as const) {
        const draft = await store.draft()
        const received: Buffer[] = []
        const reading = (async () => { for await (const chunk of draft.follow({ withhold: 1000 })) received.push(chunk as Buffer) })()
        const over = settled(reading)
        for (let at = 0; at < bytes.length; at += 70_000) await draft.write(bytes.subarray(at, at + 70_000))
        while (Buffer.concat(received).length < bytes.length - 1000) await turn()
        for (let turns = 0; turns < 20; turns++) await turn()
        expect(Buffer.concat(received).equals(bytes.subarray(0, -1000))).toBe(true)
        await (end === 'keep' ? draft.keep() : draft.discard(new Error('wrong')))
        expect(await over).toEqual(end === 'keep' ? undefined : new Error('wrong'))
        expect(Buffer.concat(received).length).toBe(end === 'keep' ? bytes.length : bytes.length - 1000)
      }
    })

    test('a part is followed as soon as it is there, and ends where it ends', async () => {
      const draft = await store.draft()
      const bytes = randomBytes(900_000)
      const part = buffer(draft.follow({ range: { start: 100, end: 599_999 } }))
      const beyond = settled(buffer(draft.follow({ range: { start: 800_000, end: 900_000 } })))
      await draft.write(bytes.subarray(0, 600_000))
      expect(bytes.subarray(100, 600_000).equals(await part)).toBe(true)
      expect(bytes.subarray(5, 10).equals(await buffer(draft.follow({ range: { start: 5, end: 9 } })))).toBe(true)
      await draft.write(bytes.subarray(600_000))
      await draft.keep()
      // What was asked for and does not come must not look as if it had come.
      expect(await beyond).toBeInstanceOf(Error)
      expect(bytes.subarray(5, 10).equals(await buffer(draft.follow({ range: { start: 5, end: 9 } })))).toBe(true)
    })

    test('bytes that their writer uses again are the follower\'s own', async () => {
      const draft = await store.draft()
      const chunk = Buffer.from('one')
      const stream = draft.follow({ withhold: 1 })
      const reading = buffer(stream)
      await turn()
      await draft.write(chunk)
      chunk.fill('x')
      await draft.write(Buffer.from('two'))
      await draft.keep()
      expect(String(await reading)).toBe('onetwo')
    })

    test('a follower that does not read holds nobody up, and reads on after the draft was kept', async () => {
      const draft = await store.draft()
      const bytes = randomBytes(6 * 1024 * 1024)
      const slow = draft.follow()
      slow.read(0)
      await draft.write(bytes)
      const quick = buffer(draft.follow())
      await draft.keep()
      expect(bytes.equals(await quick)).toBe(true)
      expect(slow.readableLength).toBeLessThan(3 * 1024 * 1024)
      expect(bytes.equals(await buffer(slow))).toBe(true)
    })

    test('discarding cuts followers off with the reason, wherever they are', async () => {
      const draft = await store.draft()
      await draft.write(randomBytes(4 * 1024 * 1024))
      const waiting = settled(buffer(draft.follow()))
      const idle = draft.follow()
      await turn()
      await draft.discard(new Error('the upstream broke off'))
      expect(await waiting).toMatchObject({ message: 'the upstream broke off' })
      await expect(buffer(idle)).rejects.toThrow('the upstream broke off')
    })

    test('a follower may leave, while it waits and while it reads; the others stay', async () => {
      const draft = await store.draft()
      const waiting = draft.follow()
      waiting.resume()
      const staying = buffer(draft.follow())
      await turn()
      waiting.destroy()
      await draft.write(Buffer.alloc(2 * 1024 * 1024, 1))
      const reading = draft.follow()
      reading.resume()
      reading.destroy()
      await draft.keep()
      expect(await staying).toHaveLength(2 * 1024 * 1024)
    })

    test('a sweep leaves the drafts of the living alone', async () => {
      const draft = await store.draft()
      await draft.write(Buffer.from('alive'))
      expect(await store.sweep()).toBe(0)
      await draft.keep()
      expect(await store.stat(digest('alive'))).toEqual({ size: 5 })
    })
  })
}

async function keep(store: BlobStore, bytes: Buffer): Promise<{ sha256: string; size: number }> {
  const draft = await store.draft()
  await draft.write(bytes)
  return draft.keep(digest(bytes))
}

export function digest(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The error that a promise ends with, caught at once so that it is never unhandled. */
function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => undefined, (error: unknown) => error)
}
