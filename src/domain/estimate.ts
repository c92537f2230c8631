/** How long a build is expected to take. */
import type { Language } from './languages.ts'
import type { SourceCount } from './plan-contents.ts'

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

/** Seconds a megabyte of source, and a file, take to compile on two cores. */
const RATES: { endings: string[]; perMB: number; perFile: number }[] = [
  { endings: ['.c', '.s', '.asm', '.m', '.f', '.for', '.f90', '.f95'], perMB: 15, perFile: 0.3 },
  { endings: ['.cc', '.cpp', '.cxx', '.c++', '.mm'], perMB: 60, perFile: 4 },
  { endings: ['.pyx'], perMB: 150, perFile: 8 },
  { endings: ['.rs'], perMB: 60, perFile: 0.2 },
]
/** Crates are compiled with a project in Rust, whose own sources are the least of it. */
const RUST_SECONDS = 60

/** Seconds that compiling what was read out of an sdist may take. */
export function estimateSources(sources: SourceCount[], languages: Language[]): number {
  const rust = languages.includes('rust')
  const seconds = sources.reduce((sum, { ending, files, bytes }) => {
    const rate = RATES.find(({ endings }) => endings.includes(ending) && (ending !== '.rs' || rust))
    return sum + (rate ? files * rate.perFile + bytes / 1e6 * rate.perMB : 0)
  }, rust ? RUST_SECONDS : 0)
  return Math.ceil(Math.min(seconds, LONGEST_SECONDS))
}
