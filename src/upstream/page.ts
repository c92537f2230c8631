import { type ListedFile, listedFiles } from '../domain/listed-file.ts'
import type { ProjectPage } from '../domain/page.ts'
import { MuslinError } from '../errors.ts'
import type { SideThread, SideWork } from '../services/ports.ts'
import { pageFromHtml } from './page-html.ts'

/** What an index is asked for: JSON (PEP 691) where it has it. */
export const ACCEPT = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1'

const DEEPEST = 100
/** Four times what the largest pages hold. Each takes some 70 bytes once it is read, and two on the wire. */
const MOST_VALUES = 2_000_000
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]

interface Reading { bytes: Uint8Array; project: string; url: string; wantsNamed: boolean }
interface Read {
  /** Undefined where the bytes are JSON themselves. */
  json: Uint8Array | undefined
  files: ListedFile[]
  /** All that is named, served from here or not, where that is wanted: absolute URLs. */
  named: { filename: string; at: string }[]
}

/**
 * A project's page as JSON, and its files, from bytes that are that or HTML: what they are tell they themselves, not the label that they came with. JSON comes through
 * byte by byte. `mayName` says whether the page may name a file at a URL. A big page is read in `thread`, where there is one. Throws `upstream-bad-answer`, which says
 * what is wrong.
 */
export async function readPage(given: Buffer, { project, url, mayName, setting, thread }: {
  project: string
  /** Where it came from. */
  url: URL
  mayName?: ((file: URL) => boolean) | undefined
  /** What the upstream is set by. */
  setting: string
  thread?: SideThread | undefined
}): Promise<{ json: Buffer; files: ListedFile[] }> {
  const refusal = (problem: string): MuslinError =>
    new MuslinError('upstream-bad-answer', `${url.host}${url.pathname} is no project page (${problem}); check the setting ${setting}`)
  const bytes = given.subarray(markLength(given))
  const task: Reading = { bytes, project, url: url.href, wantsNamed: mayName !== undefined }
  const page = await (thread?.isFor(bytes.length) ? thread.run<Read | string>(import.meta.url, task) : read(task))
  if (typeof page === 'string') throw refusal(page)
  const refused = mayName && page.named.find(({ at }) => !mayName(new URL(at)))
  if (refused) throw refusal(`it names ${JSON.stringify(refused.filename.slice(0, 100))} where another upstream's credentials would open it`)
  return { json: page.json ? asBuffer(page.json) : bytes, files: page.files }
}

/** For the side thread. */
export const sideWork: SideWork<Reading, Read | string> = async (task) => ({ result: await read(task) })

/** The page, or what is wrong with it. */
async function read({ bytes, project, url, wantsNamed }: Reading): Promise<Read | string> {
  const kind = sniff(bytes)
  if (kind === undefined) return 'it is neither JSON nor HTML'
  const text = asBuffer(bytes)
  const page = kind === 'json' ? checked(text) : await pageFromHtml(text.toString(), project, new URL(url))
  if (typeof page === 'string') return page
  const named = !wantsNamed ? [] : page.files.flatMap(({ filename, url: file, provenance }) => [file, provenance].flatMap((at) => {
    const absolute = typeof at === 'string' ? URL.parse(at, url) : null
    return absolute ? [{ filename, at: absolute.href }] : []
  }))
  return { json: kind === 'json' ? undefined : Buffer.from(JSON.stringify(page)), files: listedFiles(page, url), named }
}

/** The same memory; what comes from a thread is no Buffer any more. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** By the first character that is no space: `{` begins JSON, `<` HTML. `bytes` may be the beginning alone. */
export function sniff(bytes: Uint8Array): 'json' | 'html' | undefined {
  for (let at = markLength(bytes); at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) continue
    return byte === 0x7b ? 'json' : byte === 0x3c ? 'html' : undefined
  }
  return undefined
}

/** A byte order mark of UTF-8 is no part of the text (RFC 8259 section 8.1). */
function markLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}

/** The page, or what is wrong with it. */
function checked(json: Buffer): ProjectPage | string {
  const shape = excessOf(json)
  if (shape !== undefined) return shape
  let page: unknown
  try {
    page = JSON.parse(json.toString())
  } catch {
    return 'it is no JSON'
  }
  return problemOf(page) ?? page as ProjectPage
}

/** PEP 691: what a client needs before it can use a page. Later versions of API 1 only add keys; another major must be refused. */
function problemOf(page: unknown): string | undefined {
  if (!isObject(page)) return 'it is no object'
  const version = isObject(page['meta']) ? page['meta']['api-version'] : undefined
  if (typeof version !== 'string' || !/^1\.\d+$/.test(version)) return `meta.api-version: ${JSON.stringify(version)?.slice(0, 40)} instead of "1.x"`
  const { files } = page
  if (!Array.isArray(files)) return 'files: there is no such array'
  const at = files.findIndex((file) => !isFile(file))
  return at === -1 ? undefined : `files.${at}: filename, url or hashes is missing, or no text`
}

function isFile(file: unknown): boolean {
  if (!isObject(file) || typeof file['filename'] !== 'string' || typeof file['url'] !== 'string') return false
  const { hashes } = file
  return isObject(hashes) && Object.values(hashes).every((digest) => typeof digest === 'string')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What is too much of it, told before it is parsed: a parser does not stop where memory ends, and what it reads without recursion is written
 * with it. Most of a page is text inside strings, so that has a loop of its own.
 */
function excessOf(json: Buffer): string | undefined {
  let depth = 0
  let values = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!
    if (byte === QUOTE) {
      for (at += 1; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at += 1
    } else if (byte === COMMA) {
      values += 1
    // A bracket differs from the brace of its side in one bit.
    } else if ((byte | 0x20) === 0x7b) {
      values += 1
      depth += 1
      if (depth > DEEPEST) return `it is nested more than ${DEEPEST} deep`
    } else if ((byte | 0x20) === 0x7d) depth -= 1
  }
  return values > MOST_VALUES ? `it has more than ${MOST_VALUES} values` : undefined
}
