/** What a repaired wheel has from the system that it was built on, and what it still wants of the one that it is used on. */
import { isElf, readElf } from '../domain/elf.ts'
import { namesLibrary } from '../domain/verify-elf.ts'
import type { WheelSystem } from '../services/ports.ts'
import type { ImageApks } from './apk/install.ts'
import type { Repaired } from './repair.ts'
import type { Box, Session } from './session.ts'
import { readWheel } from './wheel-file.ts'

/** Where Alpine's libraries lie. */
const FOLDERS = ['/usr/lib', '/lib']

/** Asked of the box in which it was repaired. Undefined for a wheel that has nothing of any apk. `apks` are those of the box's image. */
export async function systemOf(session: Session, box: Box, { wheel, grafted }: Repaired, apks: () => Promise<ImageApks | undefined>): Promise<WheelSystem | undefined> {
  const { exclude, runtimeApks } = session.work.recipe
  const outside = exclude.length > 0 ? await neededOf(wheel.path, exclude) : []
  if (grafted.length === 0 && outside.length === 0 && runtimeApks.length === 0) return undefined
  const image = await apks()
  if (!image) return undefined
  const owners = await image.owners(box, [...grafted, ...outside].flatMap(pathsOf))
  const ownerOf = (library: string) => pathsOf(library).map((path) => owners.get(path)).find((owner) => owner !== undefined)
  return {
    repositories: image.repositories, arch: image.arch,
    bundled: grafted.flatMap((library) => {
      const owner = ownerOf(library)
      return owner ? [{ apk: owner.name, version: owner.version, library }] : []
    }),
    runtime: [...new Set([...runtimeApks, ...outside.flatMap((library) => ownerOf(library)?.name ?? [])])].sort(),
  }
}

function pathsOf(library: string): string[] {
  return FOLDERS.map((folder) => `${folder}/${library}`)
}

/** Libraries that files of the wheel need and that the recipe leaves outside. */
async function neededOf(path: string, exclude: string[]): Promise<string[]> {
  const needed = new Set<string>()
  for (const member of await readWheel(path)) {
    if (!isElf(await member.begin())) continue
    for (const library of readElf(await member.read()).needed) if (exclude.some((pattern) => namesLibrary(pattern, library))) needed.add(library)
  }
  return [...needed].filter((library) => /^[\w.+-]+$/.test(library)).sort()
}
