import { createHmac, timingSafeEqual } from 'node:crypto'
import { MuslinError } from '../../errors.ts'

export interface Hop {
  /** 0 for the first URL, which has no token. */
  number: number
  /** When the first URL was asked for, milliseconds since 1970; undefined for that one itself. */
  began: number | undefined
  /** When this URL was handed out, in the same way. */
  issued: number | undefined
}

export interface HopTokens {
  issue(path: string, hop: { number: number; began: number; issued: number }): string
  /** Throws `bad-request` where the token is not ours, or was not made for this path. */
  read(path: string, token: string | undefined): Hop
}

/**
 * Tokens that carry a held request's count, beginning and last redirect through its redirects. They are signed, so that any process, and the next one after a
 * restart, decides the same without having remembered anything.
 */
export function createHopTokens({ key }: { key: string }): HopTokens {
  return {
    issue(path, { number, began, issued }) {
      const text = `${number}.${began}.${issued}`
      return `${text}.${sign(path, text)}`
    },
    read(path, token) {
      if (token === undefined) return { number: 0, began: undefined, issued: undefined }
      const [, text = '', number, began, issued, signature = ''] = /^((\d{1,4})\.(\d{1,15})\.(\d{1,15}))\.([\w-]{22})$/.exec(token) ?? []
      if (!text || !timingSafeEqual(Buffer.from(signature), Buffer.from(sign(path, text)))) {
        throw new MuslinError('bad-request', 'the hop in this address is not one of ours; ask for the address without it')
      }
      return { number: Number(number), began: Number(began), issued: Number(issued) }
    },
  }

  function sign(path: string, text: string): string {
    return createHmac('sha256', key).update(`${path}\n${text}`).digest('base64url').slice(0, 22)
  }
}
