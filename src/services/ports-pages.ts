/** The port of what upstreams' pages say, a part of `ports.ts`. */
import type { Freshness } from '../domain/freshness.ts'
import type { ListedFile } from '../domain/listed-file.ts'

export interface StoredPage {
  project: string
  /** The upstream's JSON as received; undefined where the upstream said 404. */
  json: Buffer | undefined
  url: string
  /** Asks the upstream for what changed since. */
  validator: string | undefined
  /** As the upstream told it when it was asked last; absent where it said nothing. */
  freshness?: Freshness | undefined
  /** When it was asked last, and answered. */
  fetchedAt: number
}

/** The list of all projects; its bytes are a blob. */
export interface StoredList { sha256: string; validator: string | undefined; freshness?: Freshness | undefined; fetchedAt: number }

/** A file as an upstream page named it. (sha256, filename) is what it is served by, and one that several projects' pages name is one of each. */
export interface UpstreamFile extends ListedFile {
  project: string
  /** Whose page named it, for `Upstream.file`, where that is known. */
  source?: string | undefined
  /** When the first page that named it was fetched. `put` finds it out by itself. */
  seenAt?: number
}

export interface PageStore {
  get(project: string): Promise<StoredPage | undefined>
  /** The same without its JSON, which may be megabytes. `absent`: the upstream had no such project. */
  about(project: string): Promise<(Omit<StoredPage, 'json'> & { absent: boolean }) | undefined>
  /** The page and its files in one transaction; files of older pages stay recorded. */
  put(page: StoredPage, files: UpstreamFile[]): Promise<void>
  /** The upstream said that nothing changed. */
  touch(project: string, fetchedAt: number, freshness?: Freshness): Promise<void>
  /** The file as it is served: as that project's page says whose it is (`domain/owner.ts`). */
  file(sha256: string, filename: string): Promise<UpstreamFile | undefined>
  /** The file as each project's page says that names it, the first that did so first. */
  listed(sha256: string, filename: string): Promise<UpstreamFile[]>
  /** Every recorded file of a project, older pages' included. */
  files(project: string): Promise<UpstreamFile[]>
  /** Every recorded file with these bytes. */
  named(sha256: string): Promise<UpstreamFile[]>
  /** The recorded files of a project that have no upload-time, and the sdists that wheels of ours were built from. */
  undated(project: string): Promise<UpstreamFile[]>
  /** The digest of a fetched `.metadata` whose page gave none: from now on these bytes are its metadata. */
  setMetadata(file: Pick<UpstreamFile, 'sha256' | 'filename' | 'project'>, metadata: string): Promise<void>
  /** That a wheel's METADATA cannot be read, for ever: the wheel is what it is. What the answer for its project's page is may change by it. */
  setUnreadable(file: Pick<UpstreamFile, 'sha256' | 'filename' | 'project'>): Promise<void>
  /** The sha256 of the wheels of a project that are such. */
  unreadable(project: string): Promise<string[]>
  list(): Promise<StoredList | undefined>
  putList(list: StoredList): Promise<void>
}
