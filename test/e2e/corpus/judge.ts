/** Whether what came of a release is what must come of it. */
import type { Failure } from '../../../src/domain/failure.ts'
import { isNative, type Entry } from './entries.ts'

/** What a run saw. Seconds are the job's own, `peakBytes` the most of any step. */
export interface Seen {
  outcome: 'built' | 'pure' | 'failed' | 'cancelled'
  failure: Failure | null
  seconds: number | null
  peakBytes: number | null
  attempts: number
  /** The year of the sdist's upload, where the page tells. */
  year: number | null
  wheelBytes: number | null
  /** How the install with its requirements and the import on a clean image went; null where it was not due. */
  clean: { ok: boolean; seconds: number; said: string } | null
}

/** What is not as expected, in one line; undefined where all is. */
export function judge(entry: Entry, seen: Seen): string | undefined {
  const { failure } = seen
  const came = failure ? `${failure.class} (${failure.key})` : seen.outcome
  if (seen.year !== null && seen.year !== entry.year) return `it was uploaded in ${seen.year}, not ${entry.year}`
  if (entry.expect === 'built' || entry.expect === 'pure') {
    if (seen.outcome !== entry.expect) return `expected ${entry.expect}, came ${came}`
    if (isNative(entry) && !seen.clean) return 'it was not installed on a clean image'
    return seen.clean && !seen.clean.ok ? `not usable on a clean image: ${seen.clean.said}` : undefined
  }
  if (failure?.class !== entry.expect) return `expected ${entry.expect}, came ${came}`
  if (entry.key !== undefined && failure.key !== entry.key) return `expected ${entry.expect} ${entry.key}, came ${failure.key}`
  const absent = apksOf(failure) && entry.apks?.filter((apk) => !apksOf(failure)?.includes(apk))
  return absent && absent.length > 0 ? `its failure does not name ${absent.join(' ')}, but ${apksOf(failure)?.join(' ') || 'nothing'}` : undefined
}

function apksOf(failure: Failure): string[] | undefined {
  return 'apks' in failure ? failure.apks as string[] : undefined
}
