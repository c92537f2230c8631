/** A file of the replayed index: whole or a range, as fast as it goes or as slowly as asked. */
import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import parseRange from 'range-parser'

/** On disk, or the same bytes again and again. */
export type ReplayedFile = { sha256: string; size: number } & ({ path: string } | { repeated: Buffer })

/** `bandwidth`: bytes a second, 0 for no bound. */
export function sendFile(file: ReplayedFile, request: IncomingMessage, response: ServerResponse, bandwidth: number): void {
  const etag = `"${file.sha256.slice(0, 32)}"`
  const headers = { etag, 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', 'cache-control': 'max-age=365000000, immutable, public' }
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, headers).end()
  const condition = request.headers['if-range']
  const range = condition === undefined || condition === etag ? request.headers.range : undefined
  const ranges = range === undefined ? undefined : parseRange(file.size, range)
  if (ranges === -1) return void response.writeHead(416, { ...headers, 'content-range': `bytes */${file.size}` }).end()
  const part = Array.isArray(ranges) && ranges.length === 1 ? ranges[0] : undefined
  const { start, end } = part ?? { start: 0, end: file.size - 1 }
  response.writeHead(part ? 206 : 200, { ...headers, 'content-length': end - start + 1, ...part && { 'content-range': `bytes ${start}-${end}/${file.size}` } })
  if (request.method === 'HEAD') return void response.end()
  const bytes = 'path' in file ? createReadStream(file.path, { start, end, highWaterMark: 256 << 10 }) : Readable.from(repeated(file.repeated, start, end), { objectMode: false })
  pipeline(bandwidth > 0 ? Readable.from(slowly(bytes, bandwidth), { objectMode: false }) : bytes, response, () => undefined)
}

function* repeated(bytes: Buffer, start: number, end: number): Generator<Buffer> {
  for (let at = start; at <= end;) {
    const from = at % bytes.length
    const piece = bytes.subarray(from, Math.min(bytes.length, from + end - at + 1))
    yield piece
    at += piece.length
  }
}

async function* slowly(bytes: Readable, bandwidth: number): AsyncGenerator<Buffer> {
  const began = Date.now()
  let sent = 0
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += 16 << 10) {
      const piece = chunk.subarray(at, at + (16 << 10))
      sent += piece.length
      yield piece
      await wait(Math.max(0, began + sent / bandwidth * 1000 - Date.now()))
    }
  }
}
