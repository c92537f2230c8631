/** The bytes of a packed tar archive, unpacked as they are read. Runs in a thread of its own: some of it does not let go in between. */
import { createReadStream, openSync, readSync, closeSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import bunzip from 'seek-bzip'
import xz from 'xz-decompress'
import type { SdistSuffix } from '../domain/filename.ts'
import { bad } from './sdist-tree.ts'

const CHUNK = 64 * 1024

type Packed = Exclude<SdistSuffix, '.zip'>

/** Gives the file's bytes, unpacked, to `write`, whose errors end it. Rejects with what is wrong with the file. */
export async function unpackedBytes(path: string, suffix: Packed, write: (chunk: Uint8Array) => void): Promise<void> {
  await WAYS[suffix](path, write)
}

const WAYS: Record<Packed, (path: string, write: (chunk: Uint8Array) => void) => Promise<void> | void> = {
  '.tar': plain, '.tar.gz': gzip, '.tgz': gzip, '.tar.bz2': bzip2, '.tbz': bzip2, '.tar.xz': xzip, '.txz': xzip,
}

async function plain(path: string, write: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of createReadStream(path)) write(chunk as Buffer)
}

/** Several members one after another are one file (RFC 1952 section 2.2), for tarfile too. */
async function gzip(path: string, write: (chunk: Uint8Array) => void): Promise<void> {
  const file = createReadStream(path)
  const unpacked = createGunzip()
  file.on('error', (error) => unpacked.destroy(error))
  try {
    for await (const chunk of file.pipe(unpacked)) write(chunk as Buffer)
  } finally {
    file.destroy()
    unpacked.destroy()
  }
  // Node leaves in silence what is no further member; zeros are how a tape is filled up.
  for await (const rest of createReadStream(path, { start: unpacked.bytesWritten })) {
    if ((rest as Buffer).some((byte) => byte !== 0)) throw bad('bytes follow behind its end')
  }
}

async function xzip(path: string, write: (chunk: Uint8Array) => void): Promise<void> {
  const file = createReadStream(path)
  try {
    const unpacked = new xz.XzReadableStream(Readable.toWeb(file) as ReadableStream<Uint8Array>)
    for await (const chunk of unpacked) write(chunk)
  } finally {
    file.destroy()
  }
}

function bzip2(path: string, write: (chunk: Uint8Array) => void): void {
  const file = openSync(path, 'r')
  try {
    const output = Buffer.alloc(CHUNK)
    let filled = 0
    bunzip.decode(bytesOf(file, statSync(path).size), {
      writeByte(byte) {
        output[filled++] = byte
        if (filled < CHUNK) return
        filled = 0
        write(output)
      },
    }, true)
    write(output.subarray(0, filled))
  } finally {
    closeSync(file)
  }
}

function bytesOf(file: number, size: number) {
  const input = Buffer.alloc(CHUNK)
  let filled = 0
  let at = 0
  let seen = 0
  return {
    readByte() {
      if (at === filled) {
        filled = readSync(file, input)
        at = 0
        if (filled === 0) throw new Error('unexpected end of file')
      }
      seen += 1
      return input[at++]!
    },
    read(buffer: Uint8Array, offset: number, length: number) {
      for (let index = 0; index < length; index++) buffer[offset + index] = this.readByte()
      return length
    },
    eof: () => seen === size,
  }
}
