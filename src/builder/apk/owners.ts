import { posix } from 'node:path'
import { PLAIN } from '../environment.ts'
import type { Box } from '../session.ts'
import { APK_CALLS } from './calls.ts'

export interface ApkVersion { name: string; version: string }

/** A command line of more would be refused. */
const AT_ONCE = 100

/** Which apk owns each of these files, in an image that has apk; those that none owns are left out. */
export async function ownersOf(box: Box, paths: string[]): Promise<Map<string, ApkVersion>> {
  const owners = new Map<string, ApkVersion>()
  // apk knows a file by one path alone, without `..` and `//`.
  const wanted = [...new Set(paths.map((path) => posix.normalize(path)))]
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    const { text } = await box.exec(APK_CALLS.owners.command({ repositories: '', folder: '', names: wanted.slice(start, start + AT_ONCE) }), { env: PLAIN })
    for (const [, path = '', name = '', version = ''] of text.matchAll(/^(\/.*?) (?:symlink target )?is owned by (\S+)-([^-\s]+-r\d+)$/gm)) owners.set(path, { name, version })
  }
  return new Map(paths.flatMap((path) => {
    const owner = owners.get(posix.normalize(path))
    return owner ? [[path, owner]] : []
  }))
}

