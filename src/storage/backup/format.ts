/**
 * A backup is a tar archive, compressed with zstd or not: what it is (`muslin-backup.json`), the database, the blobs that it refers to, the
 * logs of builds, the admin's token, and at its end what it should have held (`complete.json`), so that one that was cut off is known.
 */
import { z } from 'zod'

export const FIRST = 'muslin-backup.json'
export const LAST = 'complete.json'
export const DATABASE = 'muslin.db'
export const TOKEN = 'admin-token'
export const FORMAT = 1

export const First = z.object({ format: z.number().int(), program: z.string(), madeAt: z.string(), schema: z.number().int(), withCache: z.boolean() })
export type First = z.output<typeof First>

export const Last = z.object({ blobs: z.number().int(), bytes: z.number().int(), logs: z.number().int(), database: z.string(), gone: z.array(z.string()) })
export type Last = z.output<typeof Last>

/** What an entry is by its name; undefined for what no backup holds. */
export function entryKind(name: string): 'first' | 'last' | 'database' | 'token' | 'log' | { blob: string } | undefined {
  if (name === FIRST) return 'first'
  if (name === LAST) return 'last'
  if (name === DATABASE) return 'database'
  if (name === TOKEN) return 'token'
  if (/^logs\/\d{1,15}(\.log|\.tail\/\d{1,15})$/.test(name)) return 'log'
  const [, ab, cd, blob] = /^blobs\/sha256\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{64})$/.exec(name) ?? []
  return blob?.startsWith(`${ab}${cd}`) ? { blob } : undefined
}

export function blobName(sha256: string): string {
  return `blobs/sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`
}
