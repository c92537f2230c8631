/** The table of a run. */
import { nameOf, type Entry } from './entries.ts'
import { judge, type Seen } from './judge.ts'

const HEADS = ['release', 'for', 'stands for', 'came', 'seconds', 'peak MB', 'runs', 'clean', 'wheel kB']

/** Lines of text, one a release in the corpus's order, aligned. */
export function table(entries: Entry[], seenOf: (entry: Entry) => Seen | undefined): string {
  const rows = entries.map((entry) => {
    const seen = seenOf(entry)
    const wrong = seen && judge(entry, seen)
    return [...[entry.pin, entry.target, [entry.backend, ...entry.traits].join(' ')], ...seen ? cells(seen) : ['not run'], ...wrong ? [`← ${wrong}`] : []]
  })
  const widths = HEADS.map((head, n) => Math.max(head.length, ...rows.map((row) => row[n]?.length ?? 0)))
  return [HEADS, ...rows].map((row) => row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ').trimEnd()).join('\n')
}

/** One line while a run goes on. */
export function line(entry: Entry, seen: Seen): string {
  const wrong = judge(entry, seen)
  return `  ${wrong ? 'FAIL' : 'ok  '} ${nameOf(entry)}: ${outcome(seen)}, ${Math.round(seen.seconds ?? 0)} s, ${megabytes(seen.peakBytes)} MB${wrong ? `\n       ${wrong}` : ''}`
}

function cells(seen: Seen): string[] {
  const clean = seen.clean ? (seen.clean.ok ? `${seen.clean.seconds.toFixed(0)} s` : 'fails') : '-'
  return [outcome(seen), String(Math.round(seen.seconds ?? 0)), megabytes(seen.peakBytes), String(seen.attempts), clean, seen.wheelBytes === null ? '-' : String(Math.round(seen.wheelBytes / 1000))]
}

function outcome({ failure, outcome }: Seen): string {
  return failure ? `${failure.class} ${failure.key}`.slice(0, 70) : outcome
}

function megabytes(bytes: number | null): string {
  return bytes === null ? '-' : String(Math.round(bytes / 1e6))
}
