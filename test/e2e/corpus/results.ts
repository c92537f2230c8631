/** What earlier runs saw, kept so that a run goes on where the last one ended. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { nameOf, type Entry } from './entries.ts'
import type { Seen } from './judge.ts'

export interface Results {
  /** What was seen of this release with these images. */
  get(entry: Entry, images: string): Seen | undefined
  put(entry: Entry, images: string, seen: Seen): Promise<void>
}

/** `images` names the images that a target is built and tried in: other ones make a result worthless, another commit does not. */
export async function openResults(path: string, fresh: boolean): Promise<Results> {
  const text = fresh ? '{}' : await readFile(path, 'utf8').catch(() => '{}')
  const kept = parse(text, path)
  let written: Promise<void> = Promise.resolve()
  return {
    get(entry, images) {
      const seen = kept[nameOf(entry)]
      return seen?.images === images ? seen : undefined
    },
    put(entry, images, seen) {
      kept[nameOf(entry)] = { ...seen, images }
      written = written.then(write)
      return written
    },
  }

  async function write(): Promise<void> {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.part`, `${JSON.stringify(kept, null, 1)}\n`)
    await rename(`${path}.part`, path)
  }
}

function parse(text: string, path: string): Record<string, Seen & { images: string }> {
  try {
    return JSON.parse(text) as ReturnType<typeof parse>
  } catch {
    throw new Error(`${path} is not readable; run with --fresh, which starts it anew`)
  }
}
