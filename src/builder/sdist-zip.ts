/** Reads zip archives by their directory, which is what Python's zipfile goes by, and checks that their members agree with it. */
import { openAsBlob } from 'node:fs'
import { BlobReader, Uint8ArrayWriter, ZipReader, type Entry } from '@zip.js/zip.js'
import { bad, shown, type Tree } from './sdist-tree.ts'

const STORED = 0
const DEFLATED = 8
/** Of the general purpose flags: the name is UTF-8. Without it zipfile takes the letters of old PCs. */
const UTF8_FLAG = 0x800
/** Kinds of file in a Unix mode; no kind at all is what zip files made elsewhere have. */
const FOLDER = 0o040000
const FILE = 0o100000
const KIND = 0o170000
/** Of the extra fields: another name, which zipfile takes instead (Info-ZIP's Unicode Path). It comes behind a version and a check sum. */
const UNICODE_PATH = 0x7075
const BEFORE_PATH = 5

/** Gives every member to the tree. Rejects with what is wrong with the file. */
export async function readZip(path: string, tree: Tree): Promise<void> {
  const zip = new ZipReader(new BlobReader(await openAsBlob(path)), {
    useWebWorkers: false,
    // What two readers could take for two things is an error. Names are checked by the tree, in the same words as those of tar archives.
    strictness: 'strict', filenameValidation: 'tolerant',
  })
  try {
    for await (const entry of zip.getEntriesGenerator()) await take(entry, tree)
  } finally {
    await zip.close()
  }
}

async function take(entry: Entry, tree: Tree): Promise<void> {
  const name = nameOf(entry)
  if (otherNames(entry).some((other) => !other.equals(entry.rawFilename))) throw bad(`${shown(name)} has two names`)
  const folder = name.endsWith('/')
  if (entry.encrypted) throw bad(`${shown(name)} is encrypted`)
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) throw bad(`${shown(name)} is packed by a method that pip does not know`)
  const kind = (entry.externalFileAttributes >>> 16) & KIND
  if (kind !== 0 && kind !== FILE && kind !== FOLDER) throw bad(`${shown(name)} is neither a file nor a folder`)
  if ((kind === FOLDER && !folder) || (folder && entry.uncompressedSize > 0)) throw bad(`${shown(name)} is a file and a folder`)
  const room = tree.add({ name, kind: folder ? 'folder' : 'file', size: entry.uncompressedSize })
  if (entry.directory) return
  // Looks at the member's own header, and whether its bytes are another's too, which makes a small file unpack to a huge one.
  await entry.getData(new Uint8ArrayWriter(), { checkOverlappingEntryOnly: true })
  if (room > 0) tree.text(name, (await entry.getData(new Uint8ArrayWriter(), { checkCrc32: true })).subarray(0, room))
}

/** Read from the bytes: where a field comes twice, a library keeps one. */
function otherNames({ rawExtraField }: Entry): Buffer[] {
  const extra = Buffer.from(rawExtraField)
  const found: Buffer[] = []
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === UNICODE_PATH) found.push(extra.subarray(at + 4 + BEFORE_PATH, at + 4 + extra.readUInt16LE(at + 2)))
  }
  return found
}

/** From the bytes themselves: zip.js has signs for the control characters of old PCs, zipfile has not. */
function nameOf({ rawFilename, rawBitFlag = 0 }: Entry): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(rawFilename)
  } catch {
    const name = Buffer.from(rawFilename).toString('latin1')
    if (rawBitFlag & UTF8_FLAG) throw bad(`the name ${shown(name)} is not UTF-8`)
    return name
  }
}
