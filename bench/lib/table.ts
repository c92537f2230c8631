import { median, shown } from './figures.ts'

/** A column of figures. Of several samples the best is shown, or the middle one where the best says little. */
export interface Column {
  key: string
  label: string
  shows: 'most' | 'least' | 'middle'
}

/** Samples in the order of the rounds; or, in words, what cannot be a figure. */
export type Cell = number[] | string

export interface Measured {
  title: string
  columns: Column[]
  rows: Map<string, Record<string, Cell>>
  notes: string[]
}

/** What a cell comes to; NaN where it has no figure. */
export function figure(measured: Measured, row: string, key: string): number {
  const cell = measured.rows.get(row)?.[key]
  const column = measured.columns.find((one) => one.key === key)
  if (!column || !Array.isArray(cell) || cell.length === 0) return Number.NaN
  return column.shows === 'most' ? Math.max(...cell) : column.shows === 'least' ? Math.min(...cell) : median(cell)
}

/** The figures of the round that was best by the first of these columns: what is promised together must have been there together. NaN where there was none. */
export function bestRound(measured: Measured, row: string, keys: [string, ...string[]]): number[] {
  const cells = keys.map((key) => measured.rows.get(row)?.[key])
  const [first] = cells
  const round = Array.isArray(first) ? first.indexOf(figure(measured, row, keys[0])) : -1
  return cells.map((cell) => Array.isArray(cell) ? cell[round] ?? Number.NaN : Number.NaN)
}

/** The middle of the ratios of two rows, round by round: each round's two samples lie next to each other in time. */
export function ratio(measured: Measured, key: string, row: string, to: string): number {
  const [above, below] = [row, to].map((name) => measured.rows.get(name)?.[key])
  if (!Array.isArray(above) || !Array.isArray(below)) return Number.NaN
  return median(above.slice(0, below.length).map((value, round) => value / below[round]!))
}

export function markdown(measured: Measured): string {
  const { title, columns, rows, notes } = measured
  const lines = [...rows].map(([row, cells]) => [row, ...columns.map(({ key }) => {
    const cell = cells[key]
    return typeof cell === 'string' ? cell : shown(cell && figure(measured, row, key))
  })])
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [`### ${title}`, '', line(['row', ...columns.map(({ label }) => label)]), line(['---', ...columns.map(() => '---:')]), ...lines.map(line), ...notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : [], ''].join('\n')
}

export function plain(measured: Measured): unknown {
  return { ...measured, rows: Object.fromEntries(measured.rows) }
}
