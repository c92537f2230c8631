/** How soon a row answers, and what it holds while it does nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, fetchBody, pageHeaders } from '../lib/client.ts'
import { discard, scratch } from '../lib/folders.ts'
import { median, MIB } from '../lib/figures.ts'
import { memory } from '../lib/sample.ts'
import { until } from '../lib/process.ts'
import { MANY } from '../upstream/made.ts'
import { eachRow } from './each-row.ts'
import type { Scenario } from './scenario.ts'

export const startup: Scenario = {
  name: 'start', about: 'from the start of the program to its first page: with nothing, and with 1,000 projects that it has seen; memory while it is idle',
  run: (bench) => eachRow(bench, 'From the start of the program to its first page, and memory while idle', [
    { key: 'empty', label: 'empty ms', shows: 'least' }, { key: 'idle', label: 'idle MiB', shows: 'middle' }, { key: 'kept', label: 'with 1,000 projects ms', shows: 'least' }, { key: 'kept idle', label: 'idle MiB', shows: 'middle' },
  ], { folder: '' }, async () => ({}), 0).then(async (measured) => {
    for (const row of bench.rows.filter(({ name }) => name !== 'direct' && name !== 'pypiserver')) {
      const folder = scratch(`start-${row.name}`)
      const place = { folder, projects: row.caches ? MANY : MANY.slice(0, 10) }
      try {
        const first = async (): Promise<{ ms: number; mib: number }> => {
          const began = performance.now()
          return bench.withRow(row, place, async (server) => {
            await until('it gives no page', async () => (await ask(`${server.index}${MANY[0]}/`, { headers: pageHeaders('json') })).status === 200, 120)
            const ms = performance.now() - began
            await sleep(3000)
            return { ms, mib: memory(server.pids) / MIB }
          })
        }
        const empty = await first()
        if (row.caches) await bench.withRow(row, place, async (server) => { for (const project of MANY) await fetchBody(`${server.index}${project}/`, pageHeaders('json')) })
        const kept = []
        for (let round = 0; round < bench.rounds; round++) kept.push(await first())
        measured.rows.set(row.name, { 'empty': [empty.ms], 'idle': [empty.mib], 'kept': kept.map(({ ms }) => ms), 'kept idle': [median(kept.map(({ mib }) => mib))] })
      } catch (error) {
        measured.notes.push(`${row.name}: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`)
      }
      discard(folder)
    }
    return measured
  }),
}
