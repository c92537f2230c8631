/** The making of a page, from plain data to bytes: in this thread or in another, see page-maker.ts. */
import { createHash } from 'node:crypto'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { readJson } from '../domain/json.ts'
import { lacksMetadata, mergePage } from '../domain/merge.ts'
import type { Coding, PageKind } from '../domain/negotiate.ts'
import type { ProjectPage } from '../domain/page.ts'
import { renderHtml } from '../domain/render.ts'
import { permittedBy, type PolicyTerms } from './policy.ts'
import type { BuiltWheel, SideWork } from './ports.ts'
import { promisesOn, type PromiseTerms } from './promise-list.ts'

export interface PageTask {
  project: string
  /** The upstream's JSON as it was received; undefined where it knows no such project. */
  json: Uint8Array | undefined
  pageUrl: string
  wheels: BuiltWheel[]
  /** What is left out; undefined for nothing. */
  policy: PolicyTerms | undefined
  /** Undefined where nothing is promised. */
  promises: PromiseTerms | undefined
  root: string
  format: PageKind
  coding: Coding
  asOld: boolean
  olderBuilds: 'yanked' | 'listed'
  /** As `mergePage` has them. */
  announce: { unreadable: Set<string> } | undefined
  provenanceRoot: string | undefined
  /** As `renderHtml` has it. */
  olderMetadata: boolean
}

export interface MadePage {
  /** In its coding. */
  body: Uint8Array
  /** Of the page before it was encoded, hex. */
  sha256: string
  /** When it is to be made anew, whatever else changes: milliseconds since 1970, Infinity: never. */
  until: number
  /** Whether the upstream's page has wheels without METADATA. */
  lacks: boolean
}

/** This module, for the side thread. */
export const MAKING = import.meta.url

export const sideWork: SideWork<PageTask, MadePage> = (task) => {
  const result = makePage(task)
  // Moved, not copied: its bytes have their memory to themselves.
  return { result, moved: [result.body.buffer as ArrayBuffer] }
}

export function makePage({ json, policy, promises, format, coding, olderMetadata, ...task }: PageTask): MadePage {
  const whole = json && readJson(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString()) as ProjectPage
  const { page, wheels, until } = permittedBy(task.project, { page: whole, wheels: task.wheels }, policy)
  const listed = page && promises ? promisesOn(page, task.project, wheels, promises) : []
  const merged = mergePage({ ...task, page, wheels, promises: listed })
  const text = Buffer.from(format === 'json' ? JSON.stringify(merged) : renderHtml(merged, { olderMetadata }))
  return { body: encoded(text, coding), sha256: createHash('sha256').update(text).digest('hex'), until, lacks: whole?.files.some(lacksMetadata) ?? false }
}

function encoded(text: Buffer, coding: Coding): Uint8Array {
  // gzip's highest level makes pages 4 % smaller, in half as much time again, for which the first client waits.
  if (coding === 'gzip') return whole(gzipSync(text, { level: 6 }))
  // The lowest level makes the largest pages as small as the ninth does, in an eighth of the time.
  if (coding === 'zstd') return whole(zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }))
  return whole(text)
}

/** The bytes with memory of their own, so that they can be given to another thread, and keep nothing else alive. */
function whole(bytes: Buffer): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}
