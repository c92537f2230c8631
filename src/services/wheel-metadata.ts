import { parseWheelFilename } from '../domain/filename.ts'
import { normalizeName } from '../domain/names.ts'
import { versionKey } from '../domain/version.ts'
import { type ByteSource, UnreadableZip, readMember, zipMembers } from './zip-member.ts'

const METADATA = /^([^/]+)\.dist-info\/METADATA$/

/**
 * The METADATA of a wheel, by as few and as small reads of it as can be: its end, its directory where that is longer, and the member. Throws
 * `UnreadableZip` where it has none, or more than one that could be meant.
 */
export async function readWheelMetadata(source: ByteSource, filename: string): Promise<Buffer> {
  const remembering = remembered(source)
  const members = await zipMembers(remembering, (name) => METADATA.test(name))
  const folders = new Map(members.map((member) => [METADATA.exec(member.name)![1]!, member]))
  const wheel = parseWheelFilename(filename)
  const own = [...folders].find(([folder]) => wheel && isOf(folder, wheel))
  // pip takes the one there is if its name is the project's, whatever its version.
  const only = folders.size === 1 ? [...folders].find(([folder]) => wheel && normalizeName(folder).startsWith(normalizeName(wheel.name))) : undefined
  const member = (own ?? only)?.[1]
  if (!member) throw new UnreadableZip(folders.size === 0 ? 'it has no METADATA' : `none of its ${folders.size} METADATA is its own`)
  return readMember(remembering, member)
}

/** The folder is named `{name}-{version}.dist-info`, in whatever spelling of both. */
function isOf(folder: string, { name, version }: { name: string; version: string }): boolean {
  const dash = folder.lastIndexOf('-')
  return dash > 0 && normalizeName(folder.slice(0, dash)) === normalizeName(name) && versionKey(folder.slice(dash + 1)) === versionKey(version)
}

/** What lies within an earlier read is not asked for again. */
function remembered({ size, read }: ByteSource): ByteSource {
  const known: { start: number; bytes: Buffer }[] = []
  return {
    size,
    async read(start, end) {
      const found = known.find((piece) => piece.start <= start && end < piece.start + piece.bytes.length)
      if (found) return found.bytes.subarray(start - found.start, end + 1 - found.start)
      const bytes = await read(start, end)
      if (bytes.length !== end + 1 - start) throw new UnreadableZip('it is shorter than it says')
      known.push({ start, bytes })
      return bytes
    },
  }
}
