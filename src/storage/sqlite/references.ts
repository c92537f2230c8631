import type { HoldingKind } from '../../services/ports.ts'

/** A column that holds digests of blobs. */
export interface Reference {
  kind: HoldingKind
  table: string
  column: string
  /** An expression that says to people what it is. */
  name: string
  /** The blob has to be there: of all else only what was asked for is stored. */
  stored: boolean
}

/**
 * Every column that refers to blobs. What is in none of them is removed by `gc`: a new table that refers to blobs must be added here
 * (a test compares this list with the schema).
 */
export const REFERENCES: readonly Reference[] = [
  { kind: 'upstream-file', table: 'files', column: 'sha256', name: 'filename', stored: false },
  { kind: 'upstream-metadata', table: 'files', column: 'metadata', name: "filename || '.metadata'", stored: false },
  { kind: 'wheel', table: 'wheels', column: 'sha256', name: 'filename', stored: true },
  { kind: 'wheel-metadata', table: 'wheels', column: 'metadata', name: 'filename', stored: true },
  { kind: 'promise-metadata', table: 'metadata', column: 'sha256', name: "'METADATA of ' || sdist || ' for ' || target", stored: true },
  { kind: 'result', table: 'results', column: 'sha256', name: "filename || ' as it was built'", stored: true },
  { kind: 'kept', table: 'kept_files', column: 'sha256', name: 'path', stored: true },
  { kind: 'list', table: 'project_list', column: 'sha256', name: "'the list of projects'", stored: true },
  { kind: 'cached', table: 'cached_files', column: 'sha256', name: 'coalesce((SELECT filename FROM main.files WHERE files.sha256 = cached_files.sha256), sha256)', stored: true },
]

/** Columns that hold digests, or are named as if they did, of which no blob must be kept: what a row is about, and what is no blob. */
export const NO_REFERENCES: readonly string[] = [
  'metadata.sdist', 'jobs.sdist', 'jobs.sdist_filename', 'jobs.metadata_changed', 'wheels.sdist', 'results.sdist', 'sessions.id_sha256', 'sessions.token_sha256',
  'counted_downloads.sha256', 'recorded_files.sha256', 'unreadable_wheels.sha256',
]
