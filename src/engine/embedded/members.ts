/** The processes of a run's commands: which they are, and how they end all at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MARK } from './box-none.ts'
import type { Box } from './box.ts'
import { children, descendants, marked, type Proc } from './tree.ts'

/** What runs a command in its box: the parent of the box's first process. */
export interface Keeper {
  pid?: number | undefined
  exitCode: number | null
  signalCode: NodeJS.Signals | null
  kill(signal: NodeJS.Signals): unknown
}

/** What forks while it is looked for is found in the next round; what still goes on after two seconds is left to the sweep. */
const ROUNDS = 100

export interface Members {
  /** Of the run's commands now, without their keepers. */
  pids(): number[]
  /** Ends what this keeper keeps. In a pid namespace the kernel ends all in it with its first process, which none can escape. */
  end(keeper: Keeper): void
  /** Ends what lives of all commands, where no namespace ends it with them. */
  clear(): Promise<void>
}

export function createMembers({ how, proc, keepers, id }: { how: Box['how']; proc: Proc; keepers: () => Iterable<Keeper>; id: string }): Members {
  const mark = `${MARK}=${id}`
  let clearing: Promise<void> | undefined
  return {
    pids: () => how === 'none' ? marked(proc, mark) : [...keepers()].flatMap((keeper) => runs(keeper) ? descendants(proc, keeper.pid) : []),
    end(keeper) {
      if (!runs(keeper)) return
      const first = how === 'none' ? [] : children(proc, keeper.pid)
      for (const pid of first) kill(pid)
      // It ends by itself, once the kernel has ended all: its end is then the end of them.
      if (first.length === 0) keeper.kill('SIGKILL')
    },
    clear: () => how === 'none' ? clearing ??= clear().finally(() => { clearing = undefined }) : Promise.resolve(),
  }

  async function clear() {
    for (let round = 0; round < ROUNDS; round++) {
      const left = marked(proc, mark)
      if (left.length === 0) return
      for (const pid of left) kill(pid)
      await sleep(20)
    }
  }
}

/** The number of one that has ended may be somebody else's by now. */
function runs(keeper: Keeper): keeper is Keeper & { pid: number } {
  return keeper.pid !== undefined && keeper.exitCode === null && keeper.signalCode === null
}

/** It may have ended meanwhile; its number stays taken until its parent, which we know, has seen that. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone.
  }
}
