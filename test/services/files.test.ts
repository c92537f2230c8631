import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFiles, type Files } from '../../src/services/files.ts'
import type { Upstream, UpstreamFile } from '../../src/services/ports.ts'
import { sha256, type SyntheticFile, type SyntheticUpstream } from '../synthetic-upstream.ts'
import { type Bench, METADATA, TARGET, built, silent } from './bench.ts'
import { makeFilesBench } from './files-bench.ts'

const NAME = 'p-1.0-py3-none-any.whl'
const BYTES = Buffer.from('0123456789'.repeat(10))
const code = (expected: string) => expect.objectContaining({ code: expected })

let bench: Bench
let index: SyntheticUpstream
let upstream: Upstream
let files: Files
let close: () => Promise<void>
beforeEach(async () => { ({ bench, index, upstream, files, close } = await makeFilesBench()) })
afterEach(() => close())

/** Serves the file and records it, as its page would. Resolves with its digest. */
async function record(change: Partial<SyntheticFile> = {}, metadata?: string): Promise<string> {
  const file: SyntheticFile = { filename: NAME, bytes: BYTES, ...change }
  const digest = sha256(file.bytes)
  index.project('p', [file])
  const url = new URL(`/packages/${digest.slice(0, 8)}/${file.filename}`, index.url).href
  const recorded: UpstreamFile = { sha256: digest, filename: file.filename, project: 'p', url, metadata }
  await bench.store.pages.put({ project: 'p', json: Buffer.from('{}'), url: `${index.url}p/`, validator: undefined, fetchedAt: 0 }, [recorded])
  return digest
}

async function read(digest: string, range?: { start: number; end: number }): Promise<{ body: Readable; length: number | undefined }> {
  return (await files.open(digest, NAME)).read(range)
}

const fetched = () => index.requests.filter((line) => line.includes('/packages/'))

describe('an upstream\'s file', () => {
  test('is fetched by the first who reads it, and kept', async () => {
    const digest = await record()
    const first = await files.open(digest, NAME)
    expect(first.size).toBeUndefined()
    expect(fetched()).toEqual([])
    const { body, length } = await first.read()
    expect(length).toBe(100)
    expect(await text(body)).toBe(BYTES.toString())
    index.break(500)
    const second = await files.open(digest, NAME)
    expect(second.size).toBe(100)
    expect(await text((await second.read()).body)).toBe(BYTES.toString())
    const part = await read(digest, { start: 8, end: 11 })
    expect([part.length, await text(part.body)]).toEqual([4, '8901'])
    expect(fetched()).toHaveLength(1)
  })

  test('is fetched once for all who read at the same time, and for who wants it whole', async () => {
    const digest = await record()
    const reads = [read(digest), read(digest), read(digest)]
    const whole = files.blob(digest, NAME)
    for (const { body } of await Promise.all(reads)) expect(await text(body)).toBe(BYTES.toString())
    expect(await text(await whole)).toBe(BYTES.toString())
    expect(fetched()).toHaveLength(1)
  })

  test('an empty one, and one of a single byte', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('x')]) {
      const { body, length } = await read(await record({ bytes }))
      expect([length, await text(body)]).toEqual([bytes.length, bytes.toString()])
    }
  })

  test('is kept although everybody who asked has left', async () => {
    const until = Promise.withResolvers<void>()
    const bytes = Buffer.alloc(3_000_000, 'x')
    const digest = await record({ bytes, stall: { after: 2_000_000, until: until.promise } })
    const { body } = await read(digest)
    await once(body, 'readable')
    body.destroy()
    const whole = files.blob(digest, NAME)
    until.resolve()
    expect((await text(await whole)).length).toBe(3_000_000)
    expect(fetched()).toHaveLength(1)
  })

  test('of other bytes: nobody gets the last of them, nothing is kept, and the next reader asks anew', async () => {
    const bytes = Buffer.alloc(500_000, 'x')
    const sent = Buffer.alloc(500_000, 'y')
    const digest = await record({ bytes, sent })
    // The digest is looked at only after the reader had time to take all there is.
    let received = 0
    const draft = async () => {
      const real = await bench.blobs.draft()
      return { ...real, keep: async (expected?: string) => { for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate); return real.keep(expected) } }
    }
    const slow = createFiles({ store: bench.store, blobs: { ...bench.blobs, draft }, upstream, clock: bench.clock, log: silent })
    const counting = async () => { for await (const chunk of (await (await slow.open(digest, NAME)).read()).body) received += (chunk as Buffer).length }
    await expect(counting()).rejects.toThrow()
    expect(received).toBeGreaterThan(0)
    expect(received).toBeLessThan(500_000)
    await expect(files.blob(digest, NAME)).rejects.toEqual(code('digest-mismatch'))
    for (const one of [bytes, sent]) expect(await bench.blobs.stat(sha256(one))).toBeUndefined()
    await record({ bytes })
    expect((await text((await read(digest)).body)).length).toBe(500_000)
  })

  test('an upstream that refuses is told to who reads; it works once the upstream does', async () => {
    const digest = await record()
    index.break(403)
    await expect(read(digest)).rejects.toEqual(code('upstream-refused'))
    await expect(files.blob(digest, NAME)).rejects.toEqual(code('upstream-refused'))
    index.break(undefined)
    expect(await text((await read(digest)).body)).toBe(BYTES.toString())
  })

  test('a disk that is full fails the reader and leaves no connection open', async () => {
    const digest = await record({ bytes: Buffer.alloc(1_000_000) })
    const bodies: Readable[] = []
    const watched: Upstream = { ...upstream, file: async (url) => { const answer = await upstream.file(url); bodies.push(answer.body); return answer } }
    const full = { ...bench.blobs, draft: async () => { throw new Error('the disk is full') } }
    const { open } = createFiles({ store: bench.store, blobs: full, upstream: watched, clock: bench.clock, log: silent })
    await expect((await open(digest, NAME)).read()).rejects.toThrow('the disk is full')
    expect(bodies.map((body) => body.destroyed)).toEqual([true])
  })

  test('only a recorded pair of digest and name is a file', async () => {
    const digest = await record()
    for (const [sha, name] of [[digest, 'q-1.0-py3-none-any.whl'], ['f'.repeat(64), NAME], ['', '']] as const) {
      await expect(files.open(sha, name)).rejects.toEqual(code('no-such-file'))
      await expect(files.metadata(sha, name)).rejects.toEqual(code('no-such-file'))
    }
    expect(fetched()).toEqual([])
  })
})

describe('.metadata', () => {
  test('under the announced digest, once for all', async () => {
    const digest = await record({ metadata: METADATA }, sha256(METADATA))
    const both = await Promise.all([files.metadata(digest, NAME), files.metadata(digest, NAME)])
    for (const file of both) expect(await text((await file.read()).body)).toBe(METADATA)
    await files.metadata(digest, NAME)
    expect(fetched()).toEqual([expect.stringMatching(/\.whl\.metadata$/)])
  })

  test('of other bytes than announced is refused', async () => {
    const digest = await record({ metadata: 'Name: other\n' }, sha256(METADATA))
    await expect(files.metadata(digest, NAME)).rejects.toEqual(code('digest-mismatch'))
    expect(await bench.blobs.stat(sha256('Name: other\n'))).toBeUndefined()
  })

  test('without a digest is for ever what came first', async () => {
    const digest = await record({ metadata: METADATA, undigested: true }, '')
    expect((await files.metadata(digest, NAME)).sha256).toBe(sha256(METADATA))
    await record({ metadata: 'Name: other\n', undigested: true }, '')
    expect((await files.metadata(digest, NAME)).sha256).toBe(sha256(METADATA))
  })

  test('that does not end is not kept, nor what does not come, and nobody is held up by it', async () => {
    const endless = await record({ metadata: 'x'.repeat(17 * 1024 * 1024), undigested: true }, '')
    await expect(files.metadata(endless, NAME)).rejects.toEqual(code('upstream-bad-answer'))
    await bench.clock.began(60_000)
    index.silence(true)
    for (const give of ['time', 'close'] as const) {
      const asked = expect(files.metadata(endless, NAME)).rejects.toEqual(code(give === 'time' ? 'upstream-timeout' : 'shutting-down'))
      await bench.clock.began(60_000)
      if (give === 'time') await bench.clock.advance(60_000)
      else await files.close()
      await asked
    }
    expect(await bench.blobs.sweep()).toBe(0)
  })

  test('that nobody announced is no file', async () => {
    await expect(files.metadata(await record({ metadata: METADATA }), NAME)).rejects.toEqual(code('no-such-file'))
  })
})

describe('a wheel that we built', () => {
  test('is served with its METADATA, and asks no upstream', async () => {
    bench.builder.play = (work) => built(work)
    await bench.wish()
    const never = new AbortController().signal
    await bench.runner()(await bench.claim(), 'me', never, never)
    const [wheel] = await bench.store.wheels.wheels('demo')
    const file = await files.open(wheel!.sha256, `demo-1.0-1-cp313-${TARGET}.whl`)
    expect([file.size, await text((await file.read()).body)]).toEqual([20, 'the bytes of a wheel'])
    expect(await text((await (await files.metadata(wheel!.sha256, wheel!.filename)).read()).body)).toBe(METADATA)
    expect(index.requests).toEqual([])
  })

  test('whose bytes are gone is our mistake, and said so', async () => {
    await expect(files.stored('f'.repeat(64))).rejects.toThrow('restore the blob folder from a backup')
  })
})
