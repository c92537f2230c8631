/** The crates registry behind Rust projects: its index passed through, its crates checked against that and kept for ever. */
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { checksumIn, CRATE_NAME, CRATE_VERSION, downloadTemplate, downloadUrl, indexPath, isIndexFile } from '../domain/crate-index.ts'
import { MuslinError } from '../errors.ts'
import type { OpenFile } from './files.ts'
import { keepBlob } from './keep-blob.ts'
import { keptPresent } from './kept-present.ts'
import type { BlobStore, Clock, KeptFile, KeptStore, RemoteFiles } from './ports.ts'
import { singleFlight } from './single-flight.ts'

export interface Crates {
  /** The index's file of a crate's name, as the registry has it. Throws `not-found`, `no-crates-index`, and what the upstream's failure is. */
  index(name: string): Promise<OpenFile>
  /**
   * The `.crate` of a version that the index lists. Throws as `index` does, and `digest-mismatch` where other bytes came than the index
   * says; nothing of them is kept.
   */
  crate(name: string, version: string): Promise<OpenFile>
}

const CONFIG = 'config.json'
/** A new version is wanted soon after it is there, but a lock names versions that are long known. */
const FRESH_MS = 10 * 60_000
const LARGEST_INDEX = 32 << 20
const LARGEST_CRATE = 256 << 20

/** `registry`: the URL of a sparse index, with a slash at its end and no credentials, as the setting cratesIndex or cargo's own configuration has it; undefined: what is kept is all there is. */
export function createCrates({ kept, blobs, remote, registry, clock, log }: {
  kept: KeptStore
  blobs: BlobStore
  remote: RemoteFiles
  registry: string | undefined
  clock: Clock
  log: Logger
}): Crates {
  const flight = singleFlight<KeptFile>()

  return {
    async index(name) {
      checkName(name)
      return opened(await indexFile(indexPath(name), isIndexFile))
    },
    async crate(name, version) {
      checkName(name)
      if (!CRATE_VERSION.test(version)) throw absent(`${name} ${version}`)
      const key = `crates/${name}/${version}`
      return opened(await keptPresent({ kept, blobs }, key) ?? await flight(key, () => fetchCrate(key, name, version)))
    },
  }

  /** A file of the index: ten minutes old at most, or older where the registry does not answer. */
  async function indexFile(path: string, isOne: (text: string) => boolean): Promise<KeptFile> {
    const key = `crates/index/${path}`
    const known = await keptPresent({ kept, blobs }, key)
    if (known && clock.now() < known.fetchedAt + FRESH_MS) return known
    return flight(key, () => fetchIndex(key, path, known, isOne)).catch((error: unknown) => {
      if (!known) throw error
      log.warn({ err: error, index: path }, 'the crates registry failed, its older index is used')
      return known
    })
  }

  async function fetchIndex(key: string, path: string, known: KeptFile | undefined, isOne: (text: string) => boolean): Promise<KeptFile> {
    const answer = await remote.get(new URL(path, base()).href, known?.etag)
    if (answer.kind === 'absent') throw absent(path)
    if (answer.kind === 'unchanged') return keep({ ...known!, fetchedAt: clock.now() })
    const bytes = await whole(answer.body, LARGEST_INDEX, path)
    if (!isOne(bytes.toString())) throw new MuslinError('upstream-bad-answer', `what the crates registry has at ${path} is no file of a sparse index; check the setting cratesIndex`)
    return keep({ path: key, sha256: await keepBlob(blobs, [bytes]), size: bytes.length, etag: answer.validator, fetchedAt: clock.now() })
  }

  async function fetchCrate(key: string, name: string, version: string): Promise<KeptFile> {
    const checksum = await checksumOf(name, version)
    const template = downloadTemplate(await text(await indexFile(CONFIG, (config) => downloadTemplate(config) !== undefined)))!
    const answer = await remote.get(downloadUrl(template, { name, version, checksum }))
    if (answer.kind !== 'file') throw absent(`${name} ${version}`)
    let size = 0
    const bounded = async function* () {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > LARGEST_CRATE) throw tooLarge(`${name} ${version}`, LARGEST_CRATE)
        yield chunk
      }
    }
    return keep({ path: key, sha256: await keepBlob(blobs, bounded(), checksum), size, etag: undefined, fetchedAt: clock.now() })
  }

  /** By the index that is at hand, whatever its age: what it says of a version never changes. */
  async function checksumOf(name: string, version: string): Promise<string> {
    const path = indexPath(name)
    const known = await keptPresent({ kept, blobs }, `crates/index/${path}`)
    const checksum = (known && checksumIn(await text(known), version)) ?? checksumIn(await text(await indexFile(path, isIndexFile)), version)
    if (checksum === undefined) throw absent(`${name} ${version}`)
    return checksum
  }

  /** Where its bytes are there too: somebody may have removed them. */
  async function keep(file: KeptFile): Promise<KeptFile> {
    await kept.put(file)
    return file
  }

  async function text({ sha256 }: KeptFile): Promise<string> {
    return (await whole(await blobs.read(sha256), LARGEST_INDEX, sha256)).toString()
  }

  function opened({ sha256, size }: KeptFile): OpenFile {
    return { sha256, size, read: async (range) => ({ body: await blobs.read(sha256, range), length: range ? range.end - range.start + 1 : size }) }
  }

  function base(): string {
    if (registry === undefined) throw new MuslinError('no-crates-index', 'the setting cratesIndex names none, and so does the configuration of cargo on this machine')
    return registry
  }
}

async function whole(body: Readable, most: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw tooLarge(what, most)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function checkName(name: string): void {
  if (!CRATE_NAME.test(name)) throw absent(name)
}

function absent(what: string): MuslinError {
  return new MuslinError('not-found', `the crates registry has no ${what.slice(0, 140)}; check the Cargo.lock that names it`)
}

function tooLarge(what: string, most: number): MuslinError {
  return new MuslinError('upstream-bad-answer', `${what} of the crates registry is larger than ${most} bytes; check the setting cratesIndex`)
}
