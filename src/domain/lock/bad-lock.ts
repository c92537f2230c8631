import { MuslinError } from '../../errors.ts'
import { cleanLine } from '../clean.ts'

export interface BadLine {
  /** From 1; undefined where it is about the file. */
  line?: number | undefined
  what: string
}

/** More are told by their numbers alone. */
const MOST_TOLD = 20
const MOST_NUMBERS = 200

/** One error for all that is wrong with a lock file, in one line that is never endless. */
export function badLock(name: string, bad: BadLine[]): MuslinError {
  const told = bad.slice(0, MOST_TOLD).map(({ line, what }) => (line === undefined ? '' : `line ${line}: `) + cleanLine(what, 200))
  const rest = bad.slice(MOST_TOLD).flatMap(({ line }) => line ?? [])
  const numbers = ranges(rest)
  const shown = numbers.slice(0, MOST_NUMBERS).join(', ') + (numbers.length > MOST_NUMBERS ? ` and more, ${rest.length} in all` : '')
  if (numbers.length > 0) told.push(`and likewise ${rest.length === 1 ? 'line' : 'lines'} ${shown}`)
  return new MuslinError('bad-lock', `${cleanLine(name, 100)}: ${told.join('; ')}`)
}

/** `3`, `7-9`. */
function ranges(numbers: number[]): string[] {
  const found: [number, number][] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last && number === last[1] + 1) last[1] = number
    else found.push([number, number])
  }
  return found.map(([from, to]) => from === to ? String(from) : `${from}-${to}`)
}
