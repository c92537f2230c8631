import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What running leaves beside the sources. */
const LEFTOVER = /(^|\/)__pycache__\//

/** sha256 (hex) over the names and bytes of files, and of all files in folders, below `root`: another one where any of them was changed. Throws where one is missing. */
export async function digestOf(root: string, paths: string[]): Promise<string> {
  const digest = createHash('sha256')
  for (const path of paths) {
    for (const file of await filesOf(root, path)) {
      const bytes = await readFile(join(root, file))
      digest.update(`${file}\0${bytes.length}\0`).update(bytes)
    }
  }
  return digest.digest('hex')
}

async function filesOf(root: string, path: string): Promise<string[]> {
  if (!(await stat(join(root, path))).isDirectory()) return [path]
  const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(join(root, '/').length))
  return files.filter((file) => !LEFTOVER.test(file)).toSorted()
}
