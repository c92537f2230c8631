import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { BlobDraft, BlobStore, Clock, FileAnswer, Upstream, UpstreamFile } from './ports.ts'
import { leastRate } from './time-limit.ts'

/**
 * So many bytes at the end are for nobody until the digest of all was found right: a reader who counts never holds a complete file
 * that is a wrong one. Few, so that the first byte goes on when it comes in.
 */
const WITHHELD_BYTES = 1024
/** Times that a transfer is taken up again without getting this much further, and how long before each but the first. */
const MOST_TRIES = 6
/** An upstream that falls silent takes its time each time: it has fewer. */
const SILENT_TRIES = 3
const PROGRESS_BYTES = 16 * 1024 * 1024
const FIRST_PAUSE_MS = 500
/** More than twice PyPI's largest file: an upstream that never ends must end somewhere. */
const LARGEST_BYTES = 8 * 1024 ** 3
/** A page may be wrong about a size: the file may have twice as many bytes, and so many more. */
const SPARE_BYTES = 16 * 1024 * 1024

/** A file on its way from the upstream to the blobs. It belongs to nobody: whoever asked first may leave. */
export interface Transfer {
  /** Resolves when there is something to read; rejects where there never will be. What is read later may break all the same. */
  started(): Promise<Started>
  /** Resolves when the file is kept. */
  finished: Promise<void>
  /** Bytes that are here, from the first one on. */
  written(): number
}

export interface Started {
  /** Of the file, where the upstream told it: no reader is ever given more bytes, and none of them ends before. */
  size: number | undefined
  /** The bytes as they come, all or those of a range. `gated`: the last of them only after all of the file was checked. */
  read(options: { range?: { start: number; end: number } | undefined; gated: boolean }): Readable
}

/**
 * Begins to fetch a file. A transfer that breaks is taken up where it broke (RFC 9110 section 14.2), and begun anew where the upstream's
 * file is another one by then: those who read the older one are cut. Ends with `digest-mismatch` where the bytes are not the recorded ones.
 */
export function beginTransfer(file: UpstreamFile, { blobs, upstream, clock, log, closing, kept, ended }: {
  blobs: BlobStore
  upstream: Upstream
  clock: Clock
  log: Logger
  closing: AbortSignal
  /** What is to be done once the file is kept: `finished` waits for it, what it throws is logged. */
  kept: () => Promise<void>
  /** Called when all is over, before anybody is told. */
  ended: () => void
}): Transfer {
  const most = file.size === undefined ? LARGEST_BYTES : Math.min(2 * file.size + SPARE_BYTES, LARGEST_BYTES)
  let draft: BlobDraft | undefined
  let written = 0
  /** As the upstream says; undefined where it does not. */
  let size: number | undefined
  let validator: string | undefined
  let doubtful = false
  let started = unresolved()
  let told = false
  const finished = run()
  finished.catch((error: unknown) => {
    log.warn({ err: error, file: file.filename }, 'a file could not be fetched')
  })

  return { started: () => started.promise, finished, written: () => written }

  async function run(): Promise<void> {
    let tries = 0
    let mark = 0
    let cost = 1
    try {
      while (!await pourSafely()) {
        if (written - mark > PROGRESS_BYTES) tries = 0
        mark = written
        // What is cut is mostly there again at once.
        if (tries > 0) await clock.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1), closing)
        tries += cost
      }
      if (!draft) throw new MuslinError('internal', `${file.filename} ended before it began`)
      await draft.keep(file.sha256)
      size = written
      tell()
      await kept().catch((error: unknown) => log.info({ err: error, file: file.filename }, 'a file that was kept is not as it should be'))
    } catch (error) {
      untell()
      started.reject(error)
      await draft?.discard(error as Error)
      throw error
    } finally {
      ended()
    }

    /** False where it broke and can be taken up again. */
    async function pourSafely(): Promise<boolean> {
      try {
        await pour()
        return true
      } catch (error) {
        if (draft === undefined || closing.aborted || !isBreak(error)) throw error
        cost = error.code === 'upstream-timeout' ? SILENT_TRIES : 1
        if (tries + cost > MOST_TRIES) throw error
        log.info({ err: error, file: file.filename, written }, 'a transfer broke, it is taken up again')
        return false
      }
    }
  }

  async function pour(): Promise<void> {
    let received = 0
    const limit = leastRate(() => received, { clock, closing, what: file.filename })
    try {
      const answer = await upstream.file(file.url, { source: file.source, signal: limit.signal, ...draft && { from: written, validator } })
      try {
        await prepare(answer)
        let skip = written - answer.from
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          received += chunk.length
          const fresh = chunk.subarray(Math.min(skip, chunk.length))
          skip -= chunk.length - fresh.length
          if (fresh.length > 0) await add(fresh)
        }
      } finally {
        answer.body.destroy()
      }
    } finally {
      limit.end()
    }
    // Without a length of the upstream's own its end may be a break, or the page be wrong: the digest decides.
    const rest = size ?? (await draft?.sha256() === file.sha256 ? 0 : file.size ?? 0)
    if (written < rest) throw new MuslinError('upstream-unreachable', `the upstream ended ${file.filename} after ${written} of ${rest} bytes; try again`)
  }

  async function prepare(answer: FileAnswer): Promise<void> {
    const other = answer.size !== undefined && size !== undefined && answer.size !== size
    if (draft && !answer.partial && (other || answer.validator !== validator)) await beginAnew(draft)
    // Readers were told the first size, and end there.
    else if (draft && other) throw new MuslinError('upstream-bad-answer', `the upstream says that ${file.filename} has ${size} bytes, and then ${answer.size}; try again`)
    if ((answer.size ?? 0) > most) throw new MuslinError('digest-mismatch', `the upstream sends ${answer.size} bytes of ${file.filename}, far more than its page says; nothing of them was kept`)
    draft ??= await blobs.draft()
    size = answer.size ?? size
    // A page may be wrong about a size, and a page to log in may come in a file's place: the digest decides, before anybody gets a byte.
    doubtful = size !== undefined && size !== (file.size ?? size)
    validator = answer.validator
  }

  async function beginAnew(older: BlobDraft): Promise<void> {
    draft = undefined
    size = undefined
    written = 0
    untell()
    await older.discard(new MuslinError('upstream-unreachable', `the upstream broke off, and has another ${file.filename} by now; try again`))
  }

  async function add(chunk: Buffer): Promise<void> {
    const end = size ?? most
    if (written + chunk.length > end) throw new MuslinError('digest-mismatch', `the upstream sends more than the ${end} bytes of ${file.filename}; nothing of them was kept`)
    await draft?.write(chunk)
    written += chunk.length
    if (written > WITHHELD_BYTES && !doubtful) tell()
  }

  /** From here on readers hold on to this draft, and to this size. */
  function tell(): void {
    if (told || !draft) return
    told = true
    const { follow } = draft
    const whole = size ? { start: 0, end: size - 1 } : undefined
    started.resolve({ size, read: ({ range = whole, gated }) => follow({ range, withhold: gated ? WITHHELD_BYTES : 0 }) })
  }

  /** Whoever comes from now on is not told what is over. */
  function untell(): void {
    if (told) started = unresolved()
    told = false
  }
}

function unresolved(): PromiseWithResolvers<Started> {
  const made = Promise.withResolvers<Started>()
  made.promise.catch(() => {})
  return made
}

/** Whether the same question may be answered in a moment. */
function isBreak(error: unknown): error is MuslinError {
  return error instanceof MuslinError && ['upstream-timeout', 'upstream-unreachable', 'upstream-refused'].includes(error.code)
}
