/** A project's page as Muslin serves it: the upstream's, with our wheels and promises among its files. */
import { sha256Of } from './digest.ts'
import { isFallback } from './fallback.ts'
import { parseWheelFilename, type WheelFilename } from './filename.ts'
import { normalizeName } from './names.ts'
import type { IndexFile, ProjectPage } from './page.ts'
import { isQuarantined } from './status.ts'
import { wheelFits } from './tags.ts'
import { parseTarget } from './target.ts'
import { versionKey } from './version.ts'

/** A wheel that we built, as a page lists it. */
export interface WheelEntry {
  sha256: string
  filename: string
  size: number
  version: string
  target: string
  /** sha256 of the sdist it came from. */
  sdist: string
  /** The build number in its file name, from 1. */
  number: number
  /** sha256 of its METADATA. */
  metadata: string
  requiresPython: string | undefined
  /** Milliseconds since 1970. */
  publishedAt: number
}

/** A wheel that is listed before it exists. */
export interface PromiseEntry {
  id: string
  filename: string
  sdist: IndexFile
}

/**
 * The merged page; the input stays as it is. `page` is undefined where the upstream knows no such project, `pageUrl` is where it came
 * from, `root` the relative way from the page to the server's root (`../../`). Files with a sha256 point to `/files/…`, others keep
 * their absolute upstream URL, and every other key of the upstream comes through unchanged, `core-metadata` included: its URL is
 * the file's own with `.metadata` behind (PEP 658). Of a quarantined project no file is listed. `asOld`: wheels of ours were uploaded when their sdist was, for builds that want
 * what there was on a day. `olderBuilds`: whether a wheel that a newer build of ours replaced says so by being yanked. `announce`: the
 * upstream's wheels that lack `core-metadata` are given it, but for those out of which none can be read. A provenance is ours under
 * `provenanceRoot`, which PEP 740 wants absolute where that can be.
 */
export function mergePage(input: {
  page: ProjectPage | undefined
  project: string
  pageUrl: string
  wheels: WheelEntry[]
  promises: PromiseEntry[]
  root: string
  asOld?: boolean
  olderBuilds?: 'yanked' | 'listed'
  announce?: { unreadable: Set<string> } | undefined
  provenanceRoot?: string | undefined
}): ProjectPage {
  const { project, pageUrl, wheels, promises, root, asOld = false, olderBuilds = 'yanked', announce, provenanceRoot = root } = input
  const page = input.page ?? { meta: { 'api-version': '1.1' }, name: normalizeName(project), files: [], versions: [] }
  // A quarantined project offers no files (PEP 792), though its index may still list them; ours may carry the very code that it was quarantined for.
  if (isQuarantined(page)) return { ...page, files: [] }
  const files = page.files.map((file) => ({
    ...file,
    url: rewrittenUrl(file, pageUrl, root),
    ...announce && lacksMetadata(file) && !announce.unreadable.has(sha256Of(file)!) && { 'core-metadata': true },
    ...typeof file['provenance'] === 'string' && { provenance: rewrittenProvenance(file, file['provenance'], pageUrl, provenanceRoot) },
  }))
  const listed = new Set(files.map(({ filename }) => filename))
  // pdm takes the first of a release's wheels that fit equally well, whatever their build numbers.
  const ours = wheels.filter(({ filename }) => !listed.has(filename)).toSorted((a, b) => b.number - a.number)
  for (const { filename } of ours) listed.add(filename)
  const sdists = new Map(asOld ? page.files.map((file) => [sha256Of(file), file['upload-time']]) : [])
  const superseded = supersededBy(page, wheels, olderBuilds)
  const promised = promises.filter(({ filename }) => !listed.has(filename))
  return {
    ...page,
    files: [
      ...files,
      ...ours.map((wheel) => wheelFile(wheel, root, superseded(wheel) ?? yankedLike(wheel, page), sdists.get(wheel.sdist))),
      ...promised.map((promise) => promiseFile(promise, root)),
    ],
    ...page.versions && { versions: completed(page.versions, [...ours, ...promised]) },
  }
}

function rewrittenUrl(file: IndexFile, pageUrl: string, root: string): string {
  const sha256 = servedDigest(file)
  return sha256 === undefined ? URL.parse(file.url, pageUrl)?.href ?? file.url : fileUrl(root, sha256, file.filename)
}

function rewrittenProvenance(file: IndexFile, url: string, pageUrl: string, root: string): string {
  const sha256 = servedDigest(file)
  const theirs = URL.parse(url, pageUrl)
  // What leads nowhere is left as it is.
  if (!theirs || !/^https?:$/.test(theirs.protocol)) return url
  return sha256 === undefined ? theirs.href : `${fileUrl(root, sha256, file.filename)}.provenance`
}

/** The digest of a file that we serve; undefined where its page leaves it to the upstream. */
function servedDigest(file: IndexFile): string | undefined {
  return isPlainFilename(file.filename) ? sha256Of(file) : undefined
}

/** Whether it is a wheel that we serve, of which the page announces no METADATA (PEP 714: under either name). */
export function lacksMetadata(file: IndexFile): boolean {
  return !file['core-metadata'] && !file['dist-info-metadata'] && servedDigest(file) !== undefined && parseWheelFilename(file.filename) !== undefined
}

/** A name that stays one path segment, whatever a client or proxy does to the path. */
function isPlainFilename(filename: string): boolean {
  return /^[^/\\\x00-\x1f]+$/.test(filename) && !/^\.{1,2}$/.test(filename) && filename.isWellFormed()
}

function fileUrl(root: string, sha256: string, filename: string): string {
  return `${root}files/${sha256}/${encodeURIComponent(filename)}`
}

function wheelFile(wheel: WheelEntry, root: string, yanked: boolean | string, uploaded: string | null | undefined): IndexFile {
  return {
    filename: wheel.filename,
    url: fileUrl(root, wheel.sha256, wheel.filename),
    hashes: { sha256: wheel.sha256 },
    ...wheel.requiresPython !== undefined && { 'requires-python': wheel.requiresPython },
    'size': wheel.size,
    'upload-time': uploaded ?? new Date(wheel.publishedAt).toISOString(),
    yanked,
    'core-metadata': { sha256: wheel.metadata },
  }
}

/**
 * Why a wheel of ours is no longer the one to take, if so. It is yanked then, not removed: a lock that holds its hash still installs
 * it, and nobody else takes it (PEP 592). Of our own builds the number in the name says it too; the upstream's wheel has none, and would
 * lose to ours.
 */
function supersededBy(page: ProjectPage, wheels: WheelEntry[], olderBuilds: 'yanked' | 'listed'): (wheel: WheelEntry) => string | undefined {
  // Most pages have no wheel of ours, and this takes as long as the rest of the page.
  let upstream: ReturnType<typeof upstreamWheels> | undefined
  return (wheel) => {
    if (hasBetter(upstream ??= upstreamWheels(page), wheel)) return 'superseded by the upstream\'s wheel'
    if (olderBuilds === 'listed') return undefined
    const newest = Math.max(...wheels.filter(({ sdist, target }) => sdist === wheel.sdist && target === wheel.target).map(({ number }) => number))
    return newest > wheel.number ? `superseded by build ${newest}` : undefined
  }
}

/** Whether the upstream has a wheel for the same release and target, one that is no mere fallback: it wins. */
export function isSuperseded(page: ProjectPage, wheel: Pick<WheelEntry, 'version' | 'target'>): boolean {
  return hasBetter(upstreamWheels(page), wheel)
}

function upstreamWheels(page: ProjectPage): Map<string, WheelFilename[]> {
  return Map.groupBy(page.files.flatMap((file) => file.yanked ? [] : parseWheelFilename(file.filename) ?? []), ({ version }) => versionKey(version))
}

function hasBetter(upstream: Map<string, WheelFilename[]>, wheel: Pick<WheelEntry, 'version' | 'target'>): boolean {
  const target = parseTarget(wheel.target)
  const release = upstream.get(versionKey(wheel.version)) ?? []
  return target !== undefined && release.some((other) => wheelFits(other, target) && !isFallback(other, release))
}

/** A release that its project withdrew must not come back through our wheel. */
function yankedLike(wheel: WheelEntry, page: ProjectPage): boolean | string {
  const sdist = page.files.find((file) => sha256Of(file) === wheel.sdist)
  return sdist ? sdist.yanked || false : 'the upstream no longer lists its sdist'
}

/** Without hash and size, which nobody knows yet; all else is the sdist's, so that date filters and resolvers judge both alike. */
function promiseFile({ id, filename, sdist }: PromiseEntry, root: string): IndexFile {
  return {
    filename,
    url: `${root}promise/${encodeURIComponent(id)}/${encodeURIComponent(filename)}`,
    hashes: {},
    ...sdist['requires-python'] != null && { 'requires-python': sdist['requires-python'] },
    ...sdist['upload-time'] != null && { 'upload-time': sdist['upload-time'] },
    'yanked': sdist.yanked || false,
    'core-metadata': true,
  }
}

/** Every file's version must be among the page's (PEP 700 "Additional project information"). */
function completed(versions: string[], added: { filename: string }[]): string[] {
  const known = new Set(versions.map(versionKey))
  const missing = added.flatMap(({ filename }) => parseWheelFilename(filename)?.version ?? [])
    .filter((version) => !known.has(versionKey(version)))
  return [...versions, ...new Set(missing)]
}
