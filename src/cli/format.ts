/** Tables, bars and quantities as text, all of them pure. */

// The command line tells times as the pages do.
export { distance, duration } from '../ui/assets/words.js'

/** Rows with their columns aligned, two spaces between them, none at the end of a line. `right` are the columns of numbers. */
export function table(rows: string[][], { right = [] }: { right?: number[] } = {}): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell))
  return rows.map((row) => row.map((cell, column) => {
    const space = ' '.repeat((widths[column] ?? 0) - width(cell))
    return right.includes(column) ? space + cell : cell + space
  }).join('  ').trimEnd())
}

const UNITS = ['kB', 'MB', 'GB', 'TB']

/** Bytes for people, in units of 1000: `512 B`, `2.3 MB`, `41 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  let value = bytes / 1000
  let unit = 0
  // What would be shown as 1000 is one of the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)} ${UNITS[unit]}`
}

/** How much of a whole is done, in `columns` characters: `[####----]`. Full only when all is done, whatever rounding says. */
export function bar(done: number, total: number, columns: number): string {
  const inside = Math.max(1, columns - 2)
  const full = done >= total ? inside : Math.min(inside - 1, Math.round(inside * done / total))
  return `[${'#'.repeat(full)}${'-'.repeat(inside - full)}]`
}

/** The text in at most so many columns, cut at its end. */
export function fit(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 3))}...`.slice(0, Math.max(0, columns))
}

/** `1 job`, `2 jobs`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`
}

const STYLES = /\x1b\[[0-9;:]*m/g

/** Columns on a terminal, styles not counted. */
function width(text: string): number {
  return text.replace(STYLES, '').length
}
