import { formatMoment } from './moment.ts'
import type { Held } from './policy.ts'
import { formatDuration } from './quantity.ts'

/** One line for people: what is held back, by which rule, and until when. */
export function heldLine(what: string, { by, setting, pattern, cooldown, until }: Held): string {
  switch (by) {
    case 'deny': return `${what} is held back by ${setting}, which names "${pattern}"`
    case 'allow': return `${what} is held back: nothing in ${setting} names it`
    case 'before': return `${what} is held back by ${setting}: it came later, or nobody knows when`
    case 'cooldown': return `${what} is held back by ${setting} (${formatDuration((cooldown ?? 0) / 1000)})${until === undefined ? ': nobody knows how old it is' : ` until ${formatMoment(until)}`}`
  }
}
