/** The forms in which the list of projects is sent, each made once out of the JSON and kept as a blob. */
import { pipeline, type Transform } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import { createListScanner } from '../domain/list-scan.ts'
import type { Coding, PageKind } from '../domain/negotiate.ts'
import { listBegin, listLinks, PAGE_END } from '../domain/render.ts'
import { keepBlob } from './keep-blob.ts'
import type { BlobStore } from './ports.ts'
import { singleFlight } from './single-flight.ts'

export interface ListForms {
  /** The blob that is the list in this form; `json` is the list itself. Forms of other lists go away. */
  of(json: string, format: PageKind, coding: Coding): Promise<string>
}

/** Bytes that are scanned at a time. */
const PIECE = 64 * 1024

const CODERS: Record<Exclude<Coding, 'identity'>, () => Transform> = {
  gzip: () => createGzip({ level: 6 }),
  zstd: () => createZstdCompress(),
}

export function createListForms({ blobs }: { blobs: BlobStore }): ListForms {
  const made = new Map<string, { of: string; sha256: string }>()
  const flight = singleFlight<string>()

  return { of: form }

  async function form(json: string, format: PageKind, coding: Coding): Promise<string> {
    if (coding !== 'identity') return kept(json, `${format === 'json' ? 'json' : 'html'} ${coding}`, async () => encoded(await form(json, format, 'identity'), coding))
    return format === 'json' ? json : kept(json, 'html', () => keepBlob(blobs, html(json)))
  }

  function kept(json: string, name: string, make: () => Promise<string>): Promise<string> {
    return flight(`${json} ${name}`, async () => {
      const known = made.get(name)
      if (known?.of === json && await blobs.stat(known.sha256)) return known.sha256
      const sha256 = await make()
      // The list changes every few minutes: what nobody will ask for again must not stay.
      const older = [...made].filter(([, { of }]) => of !== json)
      for (const [other] of older) made.delete(other)
      made.set(name, { of: json, sha256 })
      const used = new Set([...made.values()].map((form) => form.sha256))
      for (const [, { sha256: gone }] of older) if (!used.has(gone)) await blobs.remove(gone)
      return sha256
    })
  }

  async function encoded(sha256: string, coding: keyof typeof CODERS): Promise<string> {
    // The callback takes the error that the coder then bears as well.
    return keepBlob(blobs, pipeline(await blobs.read(sha256), CODERS[coding](), () => undefined))
  }

  /** Twice through the JSON: where its version stands is up to the upstream, and the page begins with it. */
  async function* html(json: string): AsyncGenerator<Buffer> {
    let text = listBegin(await version(json))
    const scanner = createListScanner()
    for await (const piece of pieces(await blobs.read(json))) {
      text += listLinks(scanner.push(piece))
      yield Buffer.from(text)
      text = ''
    }
    yield Buffer.from(text + PAGE_END)
  }

  async function version(json: string): Promise<string> {
    const scanner = createListScanner()
    for await (const piece of pieces(await blobs.read(json))) {
      scanner.push(piece)
      if (scanner.version() !== undefined) break
    }
    return scanner.version() ?? '1.0'
  }
}

/** The same bytes, no more at a time than others can wait for. */
async function* pieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      yield chunk.subarray(at, at + PIECE)
      await setImmediate()
    }
  }
}
