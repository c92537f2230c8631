/** Failure classes: stable codes shown to clients, on pages and in metrics (`building.md` section 4). */

export const FAILURE_CLASSES = {
  'missing-header': { cause: (key: string) => `needs header ${key}`, remedy: 'nothing of Alpine\'s is known to have it: where it is not the project\'s own, use a builder image that holds it' },
  'missing-pkg-config': { cause: (key: string) => `needs the pkg-config module ${key}`, remedy: 'use a builder image that holds the -dev package with this module' },
  'missing-command': { cause: (key: string) => `needs the command ${key}`, remedy: 'use a builder image that holds this command' },
  'missing-library': { cause: (key: string) => `needs the library ${key} to link`, remedy: 'use a builder image that holds the -dev package of this library' },
  'missing-python-module': { cause: (key: string) => `needs the Python module ${key} to build`, remedy: 'add what brings it to the build requirements in the project\'s recipe' },
  'compiler-error': { cause: (key: string) => `does not compile: ${key}`, remedy: 'read the log; a newer release may compile' },
  'rust-too-old': { cause: (key: string) => key === '' ? 'needs a newer Rust' : `needs Rust ${key} or newer`, remedy: 'use a target of a newer Alpine, or an older release' },
  'build-requirement-unbuildable': { cause: (key: string) => `its build requirement ${key} has no wheel`, remedy: 'mend the build of that requirement first, or constrain it in the project\'s recipe to a release that has a wheel' },
  'unsupported-language': { cause: (key: string) => `needs a compiler for ${key}`, remedy: 'without containers only C and C++ are compiled: run Muslin with a container engine' },
  'no-sdist': { cause: () => 'its sdist is gone from the upstream', remedy: 'nothing can be compiled; ask the project for an sdist or a musllinux wheel' },
  'bad-sdist': { cause: (key: string) => `its sdist cannot be used: ${key}`, remedy: 'read the log; the sdist itself must be mended by its project' },
  'unsupported-python': { cause: (key: string) => `does not support this Python: ${key}`, remedy: 'use a release that supports this Python' },
  'needs-network': { cause: (key: string) => `wants the network while it builds${key && ` (${key})`}`, remedy: 'builds have none: use a release that brings its sources along or, where you trust the project, set network = true in its recipe' },
  'out-of-memory': { cause: (key: string) => `ran out of memory${key && ` (${key})`}`, remedy: 'raise limits.memory' },
  'out-of-disk': { cause: (key: string) => `ran out of disk${key && ` (${key})`}`, remedy: 'raise limits.disk' },
  'timed-out': { cause: (key: string) => `took longer than ${key}`, remedy: 'raise limits.time' },
  'pure-fallback': { cause: () => 'came out without its native part', remedy: 'read the log for what its native part was missing' },
  'wrong-wheel': { cause: (key: string) => `made a wheel that cannot be taken: ${key}`, remedy: 'read the log' },
  'repair-failed': { cause: (key: string) => `its wheel cannot be repaired: ${key}`, remedy: 'read the log for the library that auditwheel could not bundle' },
  'not-musl': { cause: (key: string) => `its wheel does not fit musl: ${key}`, remedy: 'read the log; the project may need a patch for musl' },
  'try-failed': { cause: (key: string) => `its wheel does not work on a clean image: ${key}`, remedy: 'read the log of the try-out' },
  'build-failed': { cause: (key: string) => `its build ended with ${key}`, remedy: 'read the log' },
  'bad-recipe': { cause: (key: string) => `its recipe cannot be followed: ${key}`, remedy: 'mend the project\'s recipe' },
  'skipped': { cause: (key: string) => `is not built: ${key}`, remedy: 'its recipe says so; a recipe of this site with an empty skip lifts it' },
  'infrastructure': { cause: (key: string) => `could not be built just now: ${key}`, remedy: 'it is tried again by itself; look at the server\'s log' },
  'cancelled': { cause: () => 'was cancelled', remedy: 'ask an admin to queue it again' },
} as const satisfies Record<string, { cause: (key: string) => string; remedy: string }>

export type FailureClass = keyof typeof FAILURE_CLASSES

/**
 * Why a job failed. `key` is the thing that was missing or the detail, already cleaned (`domain/clean.ts`). `apks`: Alpine's names for
 * what is missing, best first, where the builder looked for them in its image's repositories; `domain/remedy.ts` knows more. `job`:
 * another one, whose failure this is a consequence of.
 */
export interface Failure { class: FailureClass; key: string; apks?: string[]; job?: number }

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/**
 * Milliseconds after which a failed job is queued again by itself, in the background; undefined: only a person, a new recipe or
 * a new image does it. What failed by the machine's fault may work in minutes; a build may work once its requirements change.
 */
export function retryAfterMs(failed: FailureClass): number | undefined {
  if (failed === 'infrastructure') return 5 * MINUTE
  if (NEVER.includes(failed)) return undefined
  return 3 * DAY
}

/** Only a person, or another recipe, changes what these ended with. */
const NEVER: FailureClass[] = ['cancelled', 'no-sdist', 'bad-sdist', 'bad-recipe', 'skipped']
