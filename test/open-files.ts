import { readdir, readlink } from 'node:fs/promises'

/** Files below a folder that this process has open; of others it opens and closes some whenever it likes. */
export async function openIn(below: string): Promise<string[]> {
  const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return links.filter((path) => path.startsWith(below))
}
