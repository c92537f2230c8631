/** Whether the bytes of an apk are those that its repository's index means. */
import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import type { ApkEntry } from '../domain/apk-index.ts'

/** What comes before the data: a signature and some scripts. No apk that anybody made comes near it. */
const LARGEST_HEAD = 8 << 20
const LARGEST_UNPACKED = 64 << 20
const FIRST_LOOK = 16 << 10

export interface ApkCheck {
  add(chunk: Uint8Array): void
  /** What is wrong, in words that follow on the apk's name; undefined where nothing is. After the last byte. */
  problem(): string | undefined
}

/**
 * An apk is gzip members one after the other: a signature, the control part, the data. The index names the SHA-1 of the control part as it
 * is compressed; that names the sha256 of the data. Neither proves who made it: that is the signature's, which apk itself checks.
 */
export function createApkCheck(entry: Pick<ApkEntry, 'size' | 'checksum'>): ApkCheck {
  const data = createHash('sha256')
  let head: Buffer[] = []
  let headBytes = 0
  let nextLook = FIRST_LOOK
  let size = 0
  let control: { sha1: string; datahash: string | undefined } | 'unreadable' | undefined

  return {
    add(chunk) {
      size += chunk.length
      if (control) return void data.update(chunk)
      head.push(Buffer.from(chunk))
      headBytes += chunk.length
      if (headBytes >= nextLook) look()
    },
    problem() {
      if (size !== entry.size) return `has ${size} bytes, and its index says ${entry.size}`
      if (!entry.checksum.startsWith('Q1')) return undefined
      if (!control) look()
      if (!control || control === 'unreadable') return 'cannot be read'
      if (control.sha1 !== entry.checksum.slice(2)) return 'is another one than its index says'
      if (control.datahash !== undefined && control.datahash !== data.digest('hex')) return 'holds other files than it says itself'
      return undefined
    },
  }

  function look(): void {
    const bytes = Buffer.concat(head)
    const first = member(bytes, 0)
    const found = first && isSignature(first.unpacked) ? member(bytes, first.end) : first
    if (found) {
      control = {
        sha1: createHash('sha1').update(bytes.subarray(found.start, found.end)).digest('base64'),
        datahash: /^datahash = ([0-9a-f]{64})$/m.exec(found.unpacked.toString('latin1'))?.[1],
      }
      data.update(bytes.subarray(found.end))
    } else if (headBytes > LARGEST_HEAD) {
      control = 'unreadable'
    }
    if (control) head = []
    else head = [bytes]
    nextLook = headBytes * 2
  }
}

/** The first file of a tar archive is a signature. */
function isSignature(tar: Buffer): boolean {
  return tar.subarray(0, 6).toString('latin1') === '.SIGN.'
}

/** The gzip member (RFC 1952) that begins at `start`; undefined where it is none, or where bytes of it are missing. */
function member(bytes: Buffer, start: number): { start: number; end: number; unpacked: Buffer } | undefined {
  const body = bodyOf(bytes, start)
  if (body === undefined) return undefined
  try {
    const { buffer, engine } = inflateRawSync(bytes.subarray(body), { info: true, maxOutputLength: LARGEST_UNPACKED }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
    // Behind the compressed bytes stand their CRC and their length, four bytes each.
    const end = body + engine.bytesWritten + 8
    return end > bytes.length ? undefined : { start, end, unpacked: buffer }
  } catch {
    return undefined
  }
}

/** Where a member's compressed bytes begin, behind a header with its optional fields (RFC 1952 section 2.3). */
function bodyOf(bytes: Buffer, start: number): number | undefined {
  if (bytes.length < start + 12 || bytes.readUInt16BE(start) !== 0x1f8b || bytes[start + 2] !== 8) return undefined
  const flags = bytes[start + 3] ?? 0
  let at = start + 10
  if (flags & 4) at += 2 + bytes.readUInt16LE(at)
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue
    const zero = bytes.indexOf(0, at)
    if (zero < 0) return undefined
    at = zero + 1
  }
  return flags & 2 ? at + 2 : at
}
