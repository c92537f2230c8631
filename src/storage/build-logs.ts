import { type FileHandle, open, opendir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { BuildLogs } from '../services/ports.ts'
import { codeOf, diskError } from './disk-error.ts'
import { openSink, segmentsIn } from './log-sink.ts'

/** Enough for the chattiest C++ build, and what a browser still shows. */
const CAP_BYTES = 16 * 1024 * 1024

interface Piece { file: FileHandle; from: number; size: number }

/** Logs as files, `<folder>/<build>.log`, and what lies beyond the cap in `<folder>/<build>.tail/` (`log-sink.ts` says how). */
export function createBuildLogs({ folder, capBytes = CAP_BYTES, log }: { folder: string; capBytes?: number; log?: Pick<Logger, 'warn'> }): BuildLogs {
  const half = Math.floor(capBytes / 2)
  const headOf = (build: number): string => join(folder, `${build}.log`)
  const tailOf = (build: number): string => join(folder, `${build}.tail`)

  /** The files of a log as they are now, opened so that they stay readable while the writer goes on. */
  async function openPieces(build: number): Promise<Piece[]> {
    const pieces: Piece[] = []
    try {
      const head = { file: await open(headOf(build)), from: 0, size: 0 }
      pieces.push(head)
      const names = await readdir(tailOf(build)).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return []
        throw error
      })
      for (const from of segmentsIn(names)) pieces.push({ file: await open(join(tailOf(build), String(from))), from, size: 0 })
      // In this order: where there is a next piece, the one before it has its final size.
      for (const piece of pieces) piece.size = (await piece.file.stat()).size
      return pieces
    } catch (error) {
      await closeAll(pieces)
      // The writer dropped a piece between our listing and opening it.
      if (codeOf(error) === 'ENOENT' && pieces.length > 0) return openPieces(build)
      throw error
    }
  }

  async function read(build: number, from = 0): Promise<{ body: Readable; end: number; whole: boolean } | undefined> {
    try {
      const pieces = await openPieces(build)
      const last = pieces.at(-1)
      const end = last ? last.from + last.size : 0
      const tailFrom = from === 0 ? end - half : from
      const body = Readable.from(joined(pieces, from, tailFrom), { objectMode: false })
      // Also when nobody ever read from it.
      body.once('close', () => { void closeAll(pieces) })
      return { body, end, whole: missing(pieces, from, tailFrom) === 0 }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw diskError(error)
    }
  }

  return {
    async open(build) {
      try {
        const failed = (error: unknown): void => { log?.warn({ err: error, build }, 'the log cannot be written on; the build goes on without it') }
        return openSink({ head: headOf(build), tail: tailOf(build), half, failed })
      } catch (error) {
        throw diskError(error)
      }
    },
    read,
    async *list() {
      try {
        for await (const { name } of await opendir(folder)) {
          const build = Number(/^(\d{1,15})\.log$/.exec(name)?.[1] ?? Number.NaN)
          if (!Number.isNaN(build)) yield { build, writtenAt: Math.trunc((await stat(headOf(build))).mtimeMs) }
        }
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw diskError(error)
      }
    },
    async remove(build) {
      await rm(headOf(build), { force: true })
      await rm(tailOf(build), { recursive: true, force: true })
    },
  }
}

/** The head from offset `from` on, a line about what is missing, and what is kept of the tail from offset `tailFrom` on. */
async function* joined(pieces: Piece[], from: number, tailFrom: number): AsyncGenerator<Uint8Array> {
  const [head, ...tail] = pieces
  if (!head) return
  yield* bytesOf(head, from)
  const [first] = tail
  if (!first) return
  const start = Math.max(first.from, tailFrom)
  const bytes = missing(pieces, from, tailFrom)
  if (bytes > 0) yield Buffer.from(`\nMuslin: ${bytes} bytes of the log are missing here\n`)
  for (const piece of tail) yield* bytesOf(piece, Math.max(0, start - piece.from))
}

/** How many bytes lie between what is kept of the head and of the tail. */
function missing([head, first]: Piece[], from: number, tailFrom: number): number {
  return head && first ? Math.max(0, Math.max(first.from, tailFrom) - Math.max(head.size, from)) : 0
}

async function* bytesOf({ file, size }: Piece, start: number): AsyncGenerator<Uint8Array> {
  if (start < size) yield* file.createReadStream({ start, end: size - 1, autoClose: false })
}

async function closeAll(pieces: Piece[]): Promise<void> {
  await Promise.all(pieces.map(({ file }) => file.close()))
}
