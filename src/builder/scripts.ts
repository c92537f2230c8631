/** The scripts of ours that run in containers. They are put in at each run, so that a ready-made image needs nothing of ours. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { TarEntry } from '../services/tar.ts'

/** `builders/` beside `src/`; the server's image keeps that order. */
export const BUILDERS = fileURLToPath(new URL('../../builders/', import.meta.url))

/** The script as a file to put into a run, under its own name. */
export async function script(name: 'crates.py' | 'hooks.py' | 'patch.py' | 'fetch.py' | 'try.py'): Promise<TarEntry> {
  return { name, body: await readFile(`${BUILDERS}scripts/${name}`) }
}
