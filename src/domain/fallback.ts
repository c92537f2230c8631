/** Pure wheels that stand in where a release has no native one. */
import { parseWheelFilename, type WheelFilename } from './filename.ts'
import type { IndexFile } from './page.ts'
import { wheelFits } from './tags.ts'
import type { Target } from './target.ts'
import { versionKey } from './version.ts'

type Tags = Pick<WheelFilename, 'platforms'>

export function isPure({ platforms }: Tags): boolean {
  return platforms.includes('any')
}

/**
 * Whether the wheel is what those get for whom the release has nothing better: it is pure, and others have native ones (protobuf,
 * sqlalchemy). It works, and slowly: a native wheel is worth building, and is not superseded by it.
 */
export function isFallback(wheel: Tags, release: Tags[]): boolean {
  return isPure(wheel) && release.some((other) => !isPure(other))
}

/** Whether a client of the target gets such a wheel of this release: one of these files, and not withdrawn. */
export function hasFallback(files: IndexFile[], version: string, target: Target | undefined): boolean {
  const key = versionKey(version)
  const release = files.flatMap((file) => {
    const wheel = file.yanked ? undefined : parseWheelFilename(file.filename)
    return wheel && versionKey(wheel.version) === key ? [wheel] : []
  })
  return target !== undefined && release.some((wheel) => isFallback(wheel, release) && wheelFits(wheel, target))
}

/** These files of one release without such wheels. */
export function withoutFallbacks(files: IndexFile[]): IndexFile[] {
  const release = files.flatMap(({ filename }) => parseWheelFilename(filename) ?? [])
  return files.filter(({ filename }) => {
    const wheel = parseWheelFilename(filename)
    return !wheel || !isFallback(wheel, release)
  })
}
