import { setTimeout as sleep } from 'node:timers/promises'
import type { Place, Row, Server } from '../rows/row.ts'
import type { Bench } from './bench.ts'
import { cpuSeconds, freeze, thaw } from './sample.ts'
import type { Cell, Column, Measured } from './table.ts'

/** One sample: figures by column. Throws where the row fails it. */
export type Sample = () => Promise<Record<string, number>>

/**
 * Measures rows side by side: all are started and warmed by `prepare`, which proves that they answer rightly and gives the samples; then, round by round and sample by sample, each row in turn.
 * The others stand still meanwhile. `prepare` gives nothing for what a row does not do.
 */
export async function interleaved(bench: Bench, title: string, columns: Column[], options: Partial<Place>, prepare: (server: Server, row: Row) => Promise<(Sample | undefined)[]>): Promise<Measured> {
  const measured: Measured = { title, columns, rows: new Map(), notes: [] }
  const ready: { row: Row; server: Server; samples: (Sample | undefined)[] }[] = []
  const failed = (row: Row, error: unknown): void => {
    const why = String(error instanceof Error ? error.message : error).split('\n')[0]
    measured.notes.push(`${row.name}: ${why}`)
    bench.say(`  ${row.name}: ${why}`)
  }

  const startAll = async (left: Row[]): Promise<void> => {
    const [row, ...rest] = left
    if (!row) return rounds()
    try {
      await bench.withRow(row, options, async (server) => {
        const samples = await prepare(server, row).catch((error: unknown) => failed(row, error))
        if (samples) ready.push({ row, server, samples })
        if (samples) measured.rows.set(row.name, {})
        await idle(server)
        freeze(server.pids)
        await startAll(rest)
      })
    } catch (error) {
      if (ready.some((one) => one.row === row)) throw error
      failed(row, error)
      await startAll(rest)
    }
  }
  const rounds = async (): Promise<void> => {
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`  round ${round + 1} of ${bench.rounds}`)
      for (let index = 0; index < Math.max(...ready.map(({ samples }) => samples.length)); index++) {
        for (const one of ready) {
          const sample = one.samples[index]
          if (!sample) continue
          thaw(one.server.pids)
          try {
            add(measured.rows.get(one.row.name)!, await sample())
          } catch (error) {
            failed(one.row, error)
            one.samples[index] = undefined
          }
          await idle(one.server)
          freeze(one.server.pids)
        }
      }
    }
    for (const { server } of ready) thaw(server.pids)
  }
  await startAll(bench.rows)
  return measured
}

function add(cells: Record<string, Cell>, figures: Record<string, number>): void {
  for (const [key, value] of Object.entries(figures)) {
    const cell = cells[key]
    if (Array.isArray(cell)) cell.push(value)
    else cells[key] = [value]
  }
}

/** Waits until a row has ended what it still does for clients that are gone; half a minute at most. */
export async function idle({ pids }: Server): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const before = cpuSeconds(pids)
    await sleep(300)
    if (cpuSeconds(pids) - before <= 0.02) return
  }
}
