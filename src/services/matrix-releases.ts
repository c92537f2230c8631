import { parseSdistFilename, parseWheelFilename, type WheelFilename } from '../domain/filename.ts'
import type { IndexFile, ProjectPage } from '../domain/page.ts'
import { sdistsByVersion } from '../domain/promise.ts'
import { canonicalVersion, compareVersions, isPrerelease, parseVersion, versionKey, type Version } from '../domain/version.ts'
import type { BuiltWheel } from './ports.ts'

/** Everything that one version has, upstream and here. */
export interface Release {
  /** Canonical. */
  version: string
  prerelease: boolean
  yanked: boolean
  /** When its first file came, milliseconds since 1970. */
  uploadedAt: number | undefined
  upstream: { filename: string; wheel: WheelFilename }[]
  /** In the order in which they would be built from. */
  sdists: IndexFile[]
  built: BuiltWheel[]
}

type Gathered = Release & { parsed: Version; files: IndexFile[] }

/** The releases of a page and of our wheels, newest first. Files that no client would take belong to none. */
export function releasesOf(page: ProjectPage | undefined, built: BuiltWheel[]): Release[] {
  const releases = new Map<string, Gathered>()
  // A page of thousands of files has few versions: each is parsed once.
  const known = new Map<string, Gathered | undefined>()
  const releaseOf = (version: string): Gathered | undefined => {
    if (!known.has(version)) known.set(version, begun(releases, version))
    return known.get(version)
  }
  for (const file of page?.files ?? []) {
    const wheel = parseWheelFilename(file.filename)
    const version = wheel?.version ?? parseSdistFilename(file.filename, page!.name)?.version
    const release = version === undefined ? undefined : releaseOf(version)
    release?.files.push(file)
    if (wheel) release?.upstream.push({ filename: file.filename, wheel })
  }
  for (const wheel of built) releaseOf(wheel.version)?.built.push(wheel)
  if (page) for (const [key, sdists] of sdistsByVersion(page)) releases.get(key)?.sdists.push(...sdists)
  return [...releases.values()].toSorted((a, b) => compareVersions(b.parsed, a.parsed)).map(({ parsed: _, files, ...release }) => ({
    ...release,
    yanked: files.length > 0 && files.every(({ yanked }) => Boolean(yanked)),
    uploadedAt: firstUpload(files),
  }))
}

function begun(releases: Map<string, Gathered>, version: string): Gathered | undefined {
  const parsed = parseVersion(version)
  if (!parsed) return undefined
  const key = versionKey(version)
  const found = releases.get(key) ?? {
    version: canonicalVersion(version), parsed, prerelease: isPrerelease(parsed), yanked: false, uploadedAt: undefined, upstream: [], sdists: [], built: [], files: [],
  }
  releases.set(key, found)
  return found
}

/** PEP 700 `upload-time`, which an upstream may leave out. */
function firstUpload(files: IndexFile[]): number | undefined {
  const times = files.map((file) => Date.parse(file['upload-time'] ?? '')).filter((time) => !Number.isNaN(time))
  return times.length === 0 ? undefined : Math.min(...times)
}
