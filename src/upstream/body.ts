import { PassThrough, pipeline } from 'node:stream'
import type { Duplex, Readable } from 'node:stream'
import { constants, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { MuslinError } from '../errors.ts'
import { upstreamFailure } from './failure.ts'
import type { Answer } from './requests.ts'
import { dismiss } from './requests.ts'

/** What `decoded` can undo, for Accept-Encoding. */
export const ENCODINGS = 'gzip, deflate, zstd'

const DECODERS: Record<string, () => Duplex> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  // RFC 9659: 8 MB, and not the 128 MB that a frame may ask for.
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
}

/** The bytes of an answer, decoded. Throws `upstream-bad-answer` for an encoding that was not asked for. */
export function decoded(answer: Answer): Readable {
  const { body, headers, url } = answer
  const encoding = String(headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity') return body
  const decoder = DECODERS[encoding]?.()
  if (!decoder) {
    dismiss(answer)
    throw new MuslinError('upstream-bad-answer', `${url.host} answered in the encoding ${encoding}, which was not asked for; look for a proxy in between`)
  }
  // The callback takes the error that the decoder then bears as well.
  return pipeline(body, decoder, () => undefined)
}

/** The whole decoded body. Throws `upstream-bad-answer` beyond `cap` bytes, and what broke the transfer. */
export async function wholeBody(answer: Answer, cap: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of decoded(answer) as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > cap) throw new MuslinError('upstream-bad-answer', `the page at ${answer.url.host}${answer.url.pathname} is larger than ${cap} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw upstreamFailure(error, answer.url)
  }
  return Buffer.concat(chunks)
}

/** The same bytes; what breaks them is a MuslinError, or the signal's reason once that has aborted. */
export function streamedBody(source: Readable, url: URL, { signal, setting }: { signal?: AbortSignal | undefined; setting?: string } = {}): Readable {
  const out = new PassThrough()
  // It may break before its reader is there, who then learns it from the stream's state; without this the process would end.
  out.on('error', () => undefined)
  out.on('close', () => source.destroy())
  source.on('error', (error) => out.destroy(signal?.aborted ? signal.reason as Error : upstreamFailure(error, url, setting)))
  return source.pipe(out)
}
