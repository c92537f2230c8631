import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { parseApkIndex, type ApkEntry } from '../domain/apk-index.ts'
import { MuslinError } from '../errors.ts'
import { extractTar } from './tar.ts'

/** The largest repository unpacks to some ten megabytes. */
const LIMITS = { maxBytes: 256 << 20, maxEntries: 20 }
/** Characters that are parsed in a millisecond or two. */
const SLICE = 200_000

/** The entries of an `APKINDEX.tar.gz`. Throws `upstream-bad-answer` where it is none; `name` is for that. */
export async function readApkIndex(bytes: Readable, name: string): Promise<ApkEntry[]> {
  const found = await indexText(bytes).catch(() => undefined)
  if (found === undefined) throw new MuslinError('upstream-bad-answer', `${name} is no index of apks; check the setting apkMirror`)
  const entries: ApkEntry[] = []
  // Tens of thousands of entries: others have their turn in between.
  for (let start = 0; start < found.length;) {
    const blank = found.indexOf('\n\n', start + SLICE)
    const end = blank < 0 ? found.length : blank + 2
    for (const entry of parseApkIndex(found.slice(start, end))) entries.push(entry)
    start = end
    await setImmediate()
  }
  return entries
}

/** The signature is a gzip member and a tar archive of its own, without an end: the two unpack as one. */
async function indexText(bytes: Readable): Promise<string | undefined> {
  const tar = pipeline(bytes, createGunzip(), () => undefined)
  let found: string | undefined
  for await (const file of extractTar(tar, LIMITS)) if (file.name === 'APKINDEX') found = await text(file.body)
  return found
}
