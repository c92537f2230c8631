/** How long a build is expected to take. */

/** Fetching build requirements, repairing, verifying and trying out take this long, however small the sdist. */
const FIXED_SECONDS = 15
/** A dozen C and C++ projects from 80 kB to 8 MB, on two busy cores, lie within four times of this line, above it or below. */
const SECONDS_PER_MB = 18
const LONGEST_SECONDS = 3600
/** An sdist whose size nobody tells. */
const USUAL_BYTES = 500_000

/** Seconds: the median of earlier builds of the project, else a guess from the size of its sdist. */
export function estimateSeconds({ history, sdistBytes }: { history: number[]; sdistBytes: number | undefined }): number {
  const sorted = history.filter((seconds) => seconds >= 0).toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length > 0) return Math.ceil((sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2)
  return Math.ceil(Math.min(FIXED_SECONDS + (sdistBytes ?? USUAL_BYTES) / 1e6 * SECONDS_PER_MB, LONGEST_SECONDS))
}

/** Seconds until all are built by so many builders: nobody is idle, and the longest is nobody's last. */
export function estimateTogether(seconds: number[], builders: number): number {
  const sum = seconds.reduce((total, each) => total + each, 0)
  return Math.ceil(Math.max(sum / Math.max(builders, 1), seconds.reduce((longest, each) => Math.max(longest, each), 0)))
}
