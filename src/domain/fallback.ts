/** Pure wheels that stand in where a release has no native one. */
import type { WheelFilename } from './filename.ts'

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
