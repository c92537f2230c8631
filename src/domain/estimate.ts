/** How long a build is expected to take. */
import type { JobState } from './job.ts'
import type { Language } from './languages.ts'
import { requiresProject } from './plan-backend.ts'
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

/**
 * Seconds until a job has ended: the wait for its turn, where it is queued, and its run. Null where nothing tells: no build of the project is
 * known, no worker is heard of, or the run has taken longer by now than it was expected to.
 */
export function remainingSeconds({ state, expected, startsIn, spent }: {
  state: JobState
  /** Seconds that the whole run is expected to take. */
  expected: number | null
  /** Seconds until a queued one begins. */
  startsIn: number | null
  /** Seconds since a running one began. */
  spent: number
}): number | null {
  if (expected === null) return null
  if (state === 'queued') return startsIn === null ? null : startsIn + expected
  return state === 'running' && expected > spent ? expected - spent : null
}

/** Seconds until all are built by so many builders: nobody is idle, and the longest is nobody's last. */
export function estimateTogether(seconds: number[], builders: number): number {
  const sum = seconds.reduce((total, each) => total + each, 0)
  return Math.ceil(Math.max(sum / Math.max(builders, 1), seconds.reduce((longest, each) => Math.max(longest, each), 0)))
}

/**
 * Seconds that a file and a megabyte of it take. Of each file no more than `most` bytes count, all files of an ending taken together: what is
 * longer is a table, or data of a test.
 */
const RATES: { endings: string[]; perFile: number; perMB: number; most: number }[] = [
  { endings: ['.c', '.s', '.asm', '.m'], perFile: 0.2, perMB: 10, most: 2e6 },
  { endings: ['.f', '.for', '.f90', '.f95'], perFile: 0.5, perMB: 15, most: 1e6 },
  { endings: ['.cc', '.cpp', '.cxx', '.c++', '.mm'], perFile: 3, perMB: 20, most: 1e5 },
]
/** Cython turns a file into thirty times as much C; where that is shipped beside it, it is not counted twice. */
const CYTHON = { perFile: 5, perMB: 200, times: 10 }
/** These libraries are templates, which each file that uses them compiles anew. */
const TEMPLATES = { projects: ['pybind11', 'nanobind'], factor: 2.5 }
/** Crates are most of what is compiled with a project in Rust. */
const RUST = { always: 40, perCrate: 1.5, perMB: 15 }

/** Seconds that compiling what was read out of an sdist may take on two cores. Half of twenty measured builds took from half to twice as long. */
export function estimateSources(sources: SourceCount[], { languages, requires, crates }: { languages: Language[]; requires: string[]; crates: number }): number {
  const templates = TEMPLATES.projects.some((name) => requiresProject(requires, name)) ? TEMPLATES.factor : 1
  const bytesOf = (endings: string[]) => sources.reduce((sum, { ending, bytes }) => endings.includes(ending) ? sum + bytes : sum, 0)
  let seconds = languages.includes('rust') ? RUST.always + crates * RUST.perCrate + bytesOf(['.rs']) / 1e6 * RUST.perMB : 0
  for (const { ending, files, bytes } of sources) {
    const rate = RATES.find(({ endings }) => endings.includes(ending))
    if (rate) seconds += (files * rate.perFile + Math.min(bytes, files * rate.most) / 1e6 * rate.perMB) * (rate.most === 1e5 ? templates : 1)
    if (ending === '.pyx' && bytesOf(['.c', '.cpp']) < bytes * CYTHON.times) seconds += files * CYTHON.perFile + bytes / 1e6 * CYTHON.perMB
  }
  return Math.ceil(Math.min(seconds, LONGEST_SECONDS))
}
