import { arch, availableParallelism } from 'node:os'
import targets from '../../builders/targets.json' with { type: 'json' }

/** What defaults depend on. */
export interface Machine {
  cores: number
  /** As in a wheel's platform tag. */
  cpu: string
  /** CPython minors in support, such as "3.13". */
  pythons: string[]
}

// Node's names for processors, in the words of platform tags; the rest have the same name in both.
const CPUS: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686', arm: 'armv7l', ppc64: 'ppc64le' }

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return { cores: availableParallelism(), cpu: CPUS[arch()] ?? arch(), pythons: Object.keys(targets.pythons) }
}
