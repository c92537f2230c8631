/** What an sdist of another time needs: build requirements of its day, and a compiler as lenient as they were. */
import type { Failure } from './failure.ts'

/** Times are in seconds since 1970. */
export interface Sdist { uploaded: number; pythonMinor: number; now: number }

/**
 * Requirement lines that hold the well-known breakers of old builds to what there was when this sdist was made, for this failure; none
 * where no breaker explains it, or is younger than the sdist.
 */
export function knownConstraints(failure: Failure, { uploaded, pythonMinor }: Sdist): string[] {
  return BREAKERS
    .filter(({ since, last, breaks }) => OF_THE_CODE.test(failure.class) && uploaded < since && pythonMinor <= last && (breaks.test(failure.key) || isGeneric(failure)))
    .map(({ constraint }) => constraint)
}

/**
 * Until when build requirements may have been uploaded, for an sdist whose failure may come from younger ones; undefined: that would
 * change nothing. Never earlier than half a year after its Python came out: nothing older runs on it.
 */
export function requirementsUntil(failure: Failure, { uploaded, pythonMinor, now }: Sdist): number | undefined {
  const until = Math.max(uploaded, pythonReleased(pythonMinor) + HALF_A_YEAR)
  return isGeneric(failure) && until < now - HALF_A_YEAR ? until : undefined
}

/** Variables by which compilers and CMake take what they took when the sdist was made, for this failure; undefined where none would help. */
export function lenientEnvironment({ class: name, key }: Failure): Record<string, string> | undefined {
  if (name === 'build-failed' && key.includes('too old for this CMake')) return { CMAKE_POLICY_VERSION_MINIMUM: '3.5' }
  const flags = name === 'compiler-error' ? RELAXED.find(({ cures }) => cures.test(key))?.flags : undefined
  // Who sets CFLAGS takes away the -O2 that configure scripts put there where it is empty.
  return flags === undefined ? undefined : { CFLAGS: `-O2 ${flags}` }
}

const DAY = 86_400
const HALF_A_YEAR = 182 * DAY
const day = (year: number, month: number, date: number) => Date.UTC(year, month - 1, date) / 1000

/** Classes of failures that come of code which ran: a mirror that is away names breakers too. */
const OF_THE_CODE = /^(?:build-failed|compiler-error|unsupported-python|missing-.*)$/

/** `last`: the newest minor of CPython 3 that releases below the constraint run on. */
const BREAKERS = [
  // It removed pkg_resources.
  { constraint: 'setuptools<82', since: day(2026, 2, 8), last: 99, breaks: /pkg_resources/ },
  { constraint: 'cython<3', since: day(2023, 7, 17), last: 13, breaks: /cython|\.p(?:yx|xd|xi): /i },
  { constraint: 'numpy<2', since: day(2024, 6, 16), last: 12, breaks: /numpy|\bnpy_|\bNPY_|\bPyArray/ },
]

/** Words of Python code that fails, which is the build's own, or that of a requirement which has changed. */
function isGeneric({ class: name, key }: Failure): boolean {
  return name === 'build-failed' && /which newer \S+ does not have|^(?:\w+\.)*\w*(?:Error|Exception|Warning|Invalid\w*|Exit)\b|^error: |No module named/.test(key)
}

/** Since 3.9 a minor comes out each October (PEP 602). */
function pythonReleased(minor: number): number {
  return day(2011 + Math.max(minor, 9), 10, 5)
}

/** In a key the first that fits counts. */
const RELAXED = [
  { flags: '-D_LARGEFILE64_SOURCE', cures: /\boff64_t\b|\b(?:f?open|lseek|[fl]?stat|fseeko|ftello|mmap|p(?:read|write)v?|f?truncate)64\b/ },
  { flags: '-std=gnu17', cures: /'bool' cannot be|cannot use keyword '(?:false|true|bool)'|too many arguments to function|two or more data types in declaration/ },
  { flags: '-fcommon', cures: /multiple definition of/ },
  // Errors since GCC 14 and clang 16. The last one is clang's alone: GCC passes over options of that form which it does not know.
  {
    flags: '-Wno-error=incompatible-pointer-types -Wno-error=int-conversion -Wno-error=implicit-function-declaration -Wno-error=implicit-int -Wno-incompatible-function-pointer-types',
    cures: /incompatible (?:function )?(?:pointer|integer)|implicit(?:ly)? declar|call to undeclared|implicit int|type specifier missing|type defaults to|makes (?:pointer|integer) from|without a cast/,
  },
  { flags: '-Wno-error', cures: /\[-Werror/ },
]
