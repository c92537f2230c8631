/** A real user for each run, where the server is root: the kernel counts its processes apart, and it can signal no other run's. */
import { randomInt } from 'node:crypto'

/** By systemd's table of who takes which uids, nobody's: beyond containers' (to 1,879,048,191), where directories of people map theirs (to 2,000,200,000), and within 31 bits. */
const FREE = { first: 2_010_000_000, last: 2_147_000_000 }
/** In a container that has fewer: beyond people's and systems' own, below what systemd gives to services. */
const SMALL = { first: 20_000, last: 60_000 }

/**
 * A uid that can be used here, random, since other servers take theirs on the same machine, and none of `taken`. `map` is the text of
 * /proc/self/uid_map. Undefined where none is mapped.
 */
export function freeUser(map: string, taken: ReadonlySet<number>, random: (first: number, last: number) => number = randomInt): number | undefined {
  const mapped = map.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number))
    .map(([first = 0, , count = 0]) => ({ first, last: first + count }))
  const windows = [FREE, SMALL].flatMap((wanted) => mapped.flatMap((range) => {
    const window = { first: Math.max(wanted.first, range.first), last: Math.min(wanted.last, range.last) }
    return window.last - window.first > 2 * taken.size + 100 ? [window] : []
  }))
  const [window] = windows
  if (!window) return undefined
  for (;;) {
    const user = random(window.first, window.last)
    if (!taken.has(user)) return user
  }
}
