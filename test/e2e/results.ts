/** What earlier runs of a long suite saw, kept so that a run goes on where the last one ended. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface Results<Seen> {
  /** What was seen of the case of this name with these images. */
  get(name: string, images: string): Seen | undefined
  put(name: string, images: string, seen: Seen): Promise<void>
}

/**
 * `images` names the images that a case is run in, and whatever else makes a result worthless once it is another one. What is kept of the cases named
 * in `fresh` is forgotten, and of all where nothing of it can be read; without any that throws.
 */
export async function openResults<Seen extends object>(path: string, fresh: string[] = []): Promise<Results<Seen>> {
  const text = await readFile(path, 'utf8').catch(() => '{}')
  const kept = parse<Seen>(text) ?? (fresh.length > 0 ? {} : unreadable(path))
  for (const name of fresh) delete kept[name]
  let written: Promise<void> = Promise.resolve()
  // Ended before its first result, a run must not leave those that it was to replace.
  if (fresh.length > 0) await write()
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

/** One line: which cases a run takes, and how many it leaves as an earlier one saw them. */
export function whatRuns(wanted: string[], due: string[]): string {
  const kept = wanted.length - due.length
  return `runs ${due.length} of ${wanted.length}${due.length > 0 ? `: ${due.join(', ')}` : ''}${kept > 0 ? `; ${kept} kept from earlier runs (--fresh runs them too)` : ''}`
}

function parse<Seen>(text: string): Record<string, Seen & { images: string }> | undefined {
  try {
    return JSON.parse(text) as Record<string, Seen & { images: string }>
  } catch {
    return undefined
  }
}

function unreadable(path: string): never {
  throw new Error(`${path} is not readable; run with --fresh, which starts it anew`)
}
