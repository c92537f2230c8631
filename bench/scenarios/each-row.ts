import type { Bench } from '../lib/bench.ts'
import type { Cell, Column, Measured } from '../lib/table.ts'
import type { Place, Row, Server } from '../rows/row.ts'

/** Measures rows one after the other, each started on an empty folder, as often as there are rounds (or `times`). What a row fails is a note. */
export async function eachRow(
  bench: Bench, title: string, columns: Column[], options: Partial<Place>,
  use: (server: Server, row: Row, place: Place) => Promise<Record<string, number | Cell>>, times = bench.rounds,
): Promise<Measured> {
  const measured: Measured = { title, columns, rows: new Map(), notes: [] }
  for (let round = 0; round < times; round++) {
    for (const row of bench.rows) {
      if (measured.notes.some((note) => note.startsWith(`${row.name}:`))) continue
      try {
        const cells = await bench.withRow(row, options, (server, place) => use(server, row, place))
        const known = measured.rows.get(row.name) ?? {}
        measured.rows.set(row.name, known)
        for (const [key, value] of Object.entries(cells)) known[key] = joined(known[key], typeof value === 'number' ? [value] : value)
      } catch (error) {
        const why = String(error instanceof Error ? error.message : error).split('\n')[0]
        measured.notes.push(`${row.name}: ${why}`)
        bench.say(`  ${row.name}: ${why}`)
      }
    }
  }
  return measured
}

function joined(known: Cell | undefined, next: Cell): Cell {
  return Array.isArray(known) && Array.isArray(next) ? [...known, ...next] : next
}
