import type { FailureClass } from '../failure.ts'
import type { Step } from '../job.ts'

/** What a line of a failed build's log tells. */
export interface Rule {
  class: FailureClass
  /**
   * `decisive`: it explains whatever else went wrong. `cause`: the build stops there. `clue`: many builds go on after it, so it counts
   * only near the end and where nothing better is known; so does a `sentence`, a person's words, where there is no clue either. `trace`:
   * names what ended, not why.
   */
  weight: 'decisive' | 'cause' | 'clue' | 'sentence' | 'trace'
  /** Stands in every line that the pattern matches: lines without any rule's hint are passed over. */
  hint: string
  /** Matched against a line without indentation, with straight quotes. Linear: unbounded repetitions only behind a literal or `^`. */
  pattern: RegExp
  /** `$0` is the match, `$1` its first group. */
  key: string
  /** Of matches in a row the first one tells; with a group `source`, of those in a row that share it. */
  run?: true
  /** Counts only where a line with this text is among the fifteen before. */
  near?: string
  /** Counts only where `builders/missing.json` knows the key: for sentences in which any word could stand. */
  known?: true
  /** Where it applies; metadata and build by default. */
  steps?: readonly Step[]
}

export const EVERYWHERE: readonly Step[] = ['fetch', 'metadata', 'build', 'repair', 'try']
