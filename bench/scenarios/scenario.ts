import type { Bench } from '../lib/bench.ts'
import type { Measured } from '../lib/table.ts'

export interface Scenario {
  name: string
  /** What it shows, in a line. */
  about: string
  run(bench: Bench): Promise<Measured>
}
