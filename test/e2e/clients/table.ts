/** The table of a run. */
import { nameOf, type Cell } from './cells.ts'
import { judge, movesOf, type Seen } from './judge.ts'

const HEADS = ['client', 'build', 'way', 'view', 'ends', 'exit', 'seconds', 'held by', 'requests', 'longest', 'builds']

/** Lines of text, one a cell in the table's order, aligned. */
export function table(cells: Cell[], seenOf: (cell: Cell) => Seen | undefined): string {
  const rows = cells.map((cell) => {
    const seen = seenOf(cell)
    const wrong = seen && judge(cell, seen)
    return [cell.client, cell.build, cell.way, cell.view, cell.ends, ...seen ? counted(seen) : ['not run'], ...wrong ? [`← ${wrong}`] : []]
  })
  const widths = HEADS.map((head, n) => Math.max(head.length, ...rows.map((row) => row[n]?.length ?? 0)))
  return [HEADS, ...rows].map((row) => row.map((text, n) => text.padEnd(widths[n] ?? 0)).join('  ').trimEnd()).join('\n')
}

/** One line while a run goes on. */
export function line(cell: Cell, seen: Seen): string {
  const wrong = judge(cell, seen)
  const [exit, seconds, moves, requests] = counted(seen)
  return `  ${wrong ? 'FAIL' : 'ok  '} ${nameOf(cell)}: exit ${exit}, ${seconds} s, held by ${moves}, ${requests} requests${wrong ? `\n       ${wrong}` : ''}`
}

function counted(seen: Seen): string[] {
  const longest = Math.max(0, ...seen.requests.map(({ ms }) => ms)) / 1000
  return [String(seen.exit), seen.seconds.toFixed(0), movesOf(seen).join(' ') || '-', String(seen.requests.length), `${longest.toFixed(1)} s`, String(seen.builds.length)]
}
