import { mkdirSync } from 'node:fs'
import type { Place, Row, Server } from '../rows/row.ts'
import { startUpstream, type Upstream } from '../upstream/upstream.ts'
import { discard, discardAll, scratch } from './folders.ts'
import { CLIENT_CORE, run, stopAll } from './process.ts'
import { watchMemory } from './sample.ts'

export interface Bench {
  rows: Row[]
  versions: Map<string, string>
  upstream: Upstream
  rounds: number
  /** Of each sample under load. */
  seconds: number
  /** The most memory that each row was ever seen to hold, bytes. */
  peaks: Map<string, number>
  say(text: string): void
  /** Starts a row on an empty folder for one use, and ends it. */
  withRow<T>(row: Row, options: Partial<Place>, use: (server: Server, place: Place) => Promise<T>): Promise<T>
}

export interface BenchOptions { rows: Row[]; rounds: number; seconds: number; made: boolean }

/** Runs `use` with the upstream up and the rows that can run here made ready; leaves no process and no file. */
export async function withBench<T>({ rows, rounds, seconds, made }: BenchOptions, use: (bench: Bench) => Promise<T>): Promise<T> {
  const say = (text: string): void => console.error(text)
  await run('taskset', ['-acp', String(CLIENT_CORE), String(process.pid)])
  const onSignal = (): void => { void stopAll().finally(() => { discardAll(); process.exit(130) }) }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  try {
    const versions = new Map<string, string>()
    for (const row of rows) {
      try {
        versions.set(row.name, await row.prepare())
      } catch (error) {
        say(`  without ${row.name}: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`)
      }
    }
    say('  starting the upstream')
    const upstream = await startUpstream({ made })
    const peaks = new Map<string, number>()
    return await use({
      rows: rows.filter((row) => versions.has(row.name)), versions, upstream, rounds, seconds, peaks, say,
      async withRow(row, options, run) {
        const place = { folder: scratch(row.name), upstream, projects: [], ...options }
        mkdirSync(place.folder, { recursive: true })
        const server = await row.start(place)
        const watch = watchMemory(server.pids)
        try {
          return await run(server, place)
        } finally {
          peaks.set(row.name, Math.max(peaks.get(row.name) ?? 0, watch.end()))
          await server.stop()
          if (options.folder === undefined) discard(place.folder)
        }
      },
    })
  } finally {
    await stopAll()
    discardAll()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  }
}
