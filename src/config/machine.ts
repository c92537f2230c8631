import { arch, availableParallelism, totalmem } from 'node:os'
import targets from '../../builders/targets.json' with { type: 'json' }

/** What defaults depend on. */
export interface Machine {
  cores: number
  /** Bytes that this process and its children may use. */
  memory: number
  /** As in a wheel's platform tag. */
  cpu: string
  /** CPython minors in support, such as "3.13". */
  pythons: string[]
}

// Node's names for processors, in the words of platform tags; the rest have the same name in both.
const CPUS: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686', arm: 'armv7l', ppc64: 'ppc64le' }

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  // A container may have less than its machine; where there is no bound this is 0, or more than there is.
  const bound = process.constrainedMemory()
  const memory = bound > 0 ? Math.min(bound, totalmem()) : totalmem()
  return { cores: availableParallelism(), memory, cpu: CPUS[arch()] ?? arch(), pythons: Object.keys(targets.pythons) }
}
