/** The index of an apk repository: which apks there are, and what each provides. */
import { compareApkVersions } from './apk-version.ts'

/** One apk of an APKINDEX. */
export interface ApkEntry {
  name: string
  version: string
  arch: string
  /** Bytes of the apk. */
  size: number
  /** `Q1` and the base64 of the SHA-1 of its control part. */
  checksum: string
  /** The source that it is built from. */
  origin: string
  /** Such as `so:libffi.so.8=8.1.4`, `pc:libffi=3.4.6`, `cmd:cmake=3.31`. */
  provides: string[]
  depends: string[]
  description: string
}

/**
 * The entries of an APKINDEX: blocks of lines such as `P:zlib`, with an empty line after each. Unknown fields, and blocks without a name
 * or a version, are passed over.
 */
export function parseApkIndex(text: string): ApkEntry[] {
  const entries: ApkEntry[] = []
  for (const block of text.split(/\n\n+/)) {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, 2), line.slice(2).trim()]))
    const name = fields.get('P:') ?? ''
    const version = fields.get('V:') ?? ''
    if (name === '' || version === '') continue
    entries.push({
      name, version,
      arch: fields.get('A:') ?? '',
      size: Number(fields.get('S:') ?? NaN),
      checksum: fields.get('C:') ?? '',
      origin: fields.get('o:') || name,
      provides: words(fields.get('p:')),
      depends: words(fields.get('D:')),
      description: fields.get('T:') ?? '',
    })
  }
  return entries
}

/** The file of an apk in its repository. */
export function apkFilename({ name, version }: Pick<ApkEntry, 'name' | 'version'>): string {
  return `${name}-${version}.apk`
}

/** Whether an apk is called so, or says that it provides it, in any version: `zlib`, `pc:zlib`, `cmd:cmake`. */
export function provides(entry: Pick<ApkEntry, 'name' | 'provides'>, name: string): boolean {
  return entry.name === name || entry.provides.some((one) => bareName(one) === name)
}

/** `so:libz.so.1` of `so:libz.so.1=1.3.1`, `zlib` of `zlib>=1.2` and of `zlib~1.3`. */
export function bareName(dependency: string): string {
  return dependency.split(/[<>=~]/, 1)[0] ?? ''
}

function words(text: string | undefined): string[] {
  return text ? text.split(' ').filter((word) => word !== '') : []
}

/** Name → its newest version among these entries. */
export function newestApks(entries: Pick<ApkEntry, 'name' | 'version'>[]): Map<string, string> {
  const newest = new Map<string, string>()
  for (const { name, version } of entries) {
    const known = newest.get(name)
    if (known === undefined || compareApkVersions(known, version) < 0) newest.set(name, version)
  }
  return newest
}

/** Which of these libraries, each with the version of its apk, have a newer apk, and that one's version. An apk that is gone is not newer. */
export function outdatedLibraries<Library extends { apk: string; version: string }>(bundled: Library[], newest: Map<string, string>): { library: Library; newest: string }[] {
  return bundled.flatMap((library) => {
    const there = newest.get(library.apk)
    return there !== undefined && compareApkVersions(library.version, there) < 0 ? [{ library, newest: there }] : []
  })
}
