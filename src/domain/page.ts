/** The page model of the simple repository API (PEP 691, PEP 700, PEP 714, PEP 792): JSON kept as parsed, unknown keys and all. */

export interface IndexFile {
  filename: string
  url: string
  hashes: Record<string, string>
  'requires-python'?: string | null
  yanked?: boolean | string
  size?: number | null
  'upload-time'?: string | null
  'core-metadata'?: boolean | Record<string, string>
  /** The older name of the same key (PEP 658 as first deployed; PEP 714 explains). */
  'dist-info-metadata'?: boolean | Record<string, string>
  'gpg-sig'?: boolean
  [key: string]: unknown
}

export interface ProjectPage {
  meta: { 'api-version': string; [key: string]: unknown }
  name: string
  files: IndexFile[]
  versions?: string[]
  [key: string]: unknown
}
