import { setImmediate } from 'node:timers/promises'
import { classifyInPieces } from '../domain/classify.ts'
import type { Failure } from '../domain/failure.ts'
import type { Step } from '../domain/job.ts'
import type { Usage } from '../services/ports.ts'

/** What a failed command of this step means. `used` is of its run, `text` its output; `memory` and `disk` are the run's bounds in bytes. */
export async function whyFailed(used: Usage, text: string, { step, memory, disk, processes }: { step: Step; memory: number; disk: number; processes: number }): Promise<Failure> {
  // The texts of compilers differ, and hostile code can write any of them: the kernel's own count, or the engine's, comes first.
  if (used.oomKills > 0) return { class: 'out-of-memory', key: `${step}, ${mebibytes(memory)}` }
  if (used.exceeded === 'disk') return { class: 'out-of-disk', key: `${step}, ${mebibytes(disk)}` }
  if (used.exceeded === 'processes') return { class: 'build-failed', key: `all ${processes} processes in use` }
  return classifyInPieces(text, { step }, setImmediate)
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / (1 << 20))} MiB`
}
