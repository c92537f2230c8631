import type { Context } from 'koa'
import { MuslinError } from '../../errors.ts'
import { MOST_BODY_BYTES } from '../../services/bounds.ts'
import { tooLarge } from '../middleware/bodies.ts'

/**
 * The JSON that a request brings. Throws `too-large`, and `bad-request` where it is none, or is not sent as such: what a foreign page
 * can send without asking first is never JSON by its type.
 */
export async function readJson(ctx: Context): Promise<unknown> {
  if (ctx.is('json') !== 'json') throw new MuslinError('bad-request', 'the body is no JSON by its Content-Type; send application/json')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BODY_BYTES) {
      ctx.set('Connection', 'close')
      throw tooLarge()
    }
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch (cause) {
    throw new MuslinError('bad-request', `the body is no JSON: ${(cause as Error).message}`, { cause })
  }
}
