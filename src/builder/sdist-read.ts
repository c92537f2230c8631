/** Reads an sdist without unpacking it to a disk. Runs in a thread of its own, which `readSdist` ends when it takes too long. */
import { sdistSuffix } from '../domain/filename.ts'
import type { SdistContents } from '../domain/plan-contents.ts'
import { Failed } from './failed.ts'
import { unpackedBytes } from './sdist-bytes.ts'
import { createTarReader } from './sdist-tar.ts'
import { bad, createTree, type SdistBounds } from './sdist-tree.ts'
import { readZip } from './sdist-zip.ts'

/** As `readSdist`, in this thread. */
export async function readArchive(path: string, bounds: SdistBounds): Promise<SdistContents> {
  const suffix = sdistSuffix(path)
  if (suffix === undefined) throw bad('it is of no kind that pip unpacks')
  const tree = createTree(bounds)
  try {
    if (suffix === '.zip') {
      await readZip(path, tree)
    } else {
      const tar = createTarReader(tree)
      // Headers and padding are counted too: entries of no size cost nothing else.
      const limit = bounds.bytes + bounds.entries * 2048
      let seen = 0
      await unpackedBytes(path, suffix, (chunk) => {
        seen += chunk.length
        if (seen > limit) throw bad(`it unpacks to more than ${bounds.bytes} bytes`)
        tar.write(chunk)
      })
      tar.end()
    }
  } catch (error) {
    if (error instanceof Failed || isOurs(error)) throw error
    throw bad(`it is no readable archive (${saying(error)})`)
  }
  return tree.contents()
}

/** Trouble with our own disk is not the sdist's fault. */
function isOurs(error: unknown): boolean {
  return ['ENOENT', 'EACCES', 'EIO', 'EMFILE', 'ENFILE'].includes(String((error as { code?: unknown } | null)?.code))
}

/** zip.js says apart from its message what is ambiguous. */
function saying(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  return ((error as { reason?: string }).reason ?? error.message).slice(0, 80)
}
