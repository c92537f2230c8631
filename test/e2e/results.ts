/** What earlier runs of a long suite saw, kept so that a run goes on where the last one ended. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface Results<Seen> {
  /** What was seen of the case of this name with these images. */
  get(name: string, images: string): Seen | undefined
  put(name: string, images: string, seen: Seen): Promise<void>
}

/** `images` names the images that a case is run in: other ones make a result worthless, another commit does not. `fresh` forgets all. */
export async function openResults<Seen extends object>(path: string, fresh: boolean): Promise<Results<Seen>> {
  const text = fresh ? '{}' : await readFile(path, 'utf8').catch(() => '{}')
  const kept = parse<Seen>(text, path)
  let written: Promise<void> = Promise.resolve()
  return {
    get(name, images) {
      const seen = kept[name]
      return seen?.images === images ? seen : undefined
    },
    put(name, images, seen) {
      kept[name] = { ...seen, images }
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

function parse<Seen>(text: string, path: string): Record<string, Seen & { images: string }> {
  try {
    return JSON.parse(text) as Record<string, Seen & { images: string }>
  } catch {
    throw new Error(`${path} is not readable; run with --fresh, which starts it anew`)
  }
}
