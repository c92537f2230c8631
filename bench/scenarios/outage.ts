/** The upstream gone, back, silent, and a restart in between. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../lib/bench.ts'
import { ask, fetchBody, pageHeaders, sha256, type Answer } from '../lib/client.ts'
import { shown } from '../lib/figures.ts'
import type { Cell, Column, Measured } from '../lib/table.ts'
import type { Place, Row, Server } from '../rows/row.ts'
import { filesOf, linksOf } from '../upstream/listing.ts'
import { BIG } from '../upstream/made.ts'
import { scratch, discard } from '../lib/folders.ts'
import type { Scenario } from './scenario.ts'

/** Pages are past their time after so many seconds. */
const FRESH_FOR = 1
const PATIENCE = 30

const STEPS = [
  ['gone page', 'gone: old page'], ['gone file', 'cached file'], ['gone new page', 'new page'], ['gone new file', 'new file'], ['restart page', 'restarted: old page'], ['restart file', 'cached file'],
  ['back new page', 'back: new page'], ['silent page', 'silent: old page'], ['silent file', 'cached file'], ['silent new page', 'new page'],
] as const

export const outage: Scenario = {
  name: 'outage', about: 'the upstream refuses connections, comes back, and then takes requests and never answers: what is served, and after how many milliseconds',
  async run(bench) {
    const columns: Column[] = STEPS.flatMap(([key, label]): Column[] => [{ key: `${key} status`, label, shows: 'middle' }, { key, label: 'ms', shows: 'middle' }])
    const measured: Measured = { title: `The upstream gone, back, silent (pages count as fresh for ${FRESH_FOR} s; clients wait ${PATIENCE} s)`, columns, rows: new Map(), notes: [] }
    for (const row of bench.rows.filter(({ caches, name }) => caches || name === 'simple-repository')) {
      const folder = scratch(`outage-${row.name}`)
      try {
        measured.rows.set(row.name, await through(bench, row, { folder, freshFor: FRESH_FOR }))
      } catch (error) {
        measured.notes.push(`${row.name}: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`)
      } finally {
        await bench.upstream.set({ mode: 'up', maxAge: 600 })
        discard(folder)
      }
    }
    return measured
  },
}

async function through(bench: Bench, row: Row, place: Partial<Place>): Promise<Record<string, Cell>> {
  const cells: Record<string, Cell> = {}
  const [held, fresh] = await filesOf(bench.upstream.index, BIG.project)
  const page = (server: Server, project: string): Promise<Answer> => ask(`${server.index}${project}/`, { headers: pageHeaders('json'), patience: PATIENCE })
  const note = async (key: string, asked: Promise<Answer>): Promise<void> => {
    const { status, total, why } = await asked
    cells[`${key} status`] = status === 0 ? why ?? 'cut' : shown(status)
    cells[key] = [total]
  }
  await bench.upstream.set({ mode: 'up', maxAge: FRESH_FOR })
  await bench.withRow(row, place, async (server) => {
    await fetchBody(`${server.index}numpy/`, pageHeaders('json'))
    const links = await linksOf(server.index, BIG.project)
    const [file, other] = [links.get(held!.filename)!, links.get(fresh!.filename)!]
    const { body } = await fetchBody(file)
    if (sha256(body) !== held!.sha256) throw new Error('a file is not right')
    await sleep(FRESH_FOR * 1000 + 500)
    await bench.upstream.set({ mode: 'gone' })
    await note('gone page', page(server, 'numpy'))
    await note('gone file', ask(file, { patience: PATIENCE }))
    await note('gone new page', page(server, 'boto3'))
    await note('gone new file', ask(other, { patience: PATIENCE }))
  })
  await bench.withRow(row, place, async (server) => {
    await note('restart page', page(server, 'numpy'))
    // Its address is the one from before: the page may be gone.
    const file = (await linksOf(server.index, BIG.project).catch(() => new Map<string, string>())).get(held!.filename)
    if (file === undefined) cells['restart file status'] = 'no page'
    else await note('restart file', ask(file, { patience: PATIENCE }))
    await bench.upstream.set({ mode: 'up' })
    // Rows leave an upstream alone for a while after it failed.
    await sleep(11_000)
    await note('back new page', page(server, 'boto3'))
    if (file !== undefined) await ask(file, { patience: PATIENCE })
    await page(server, 'numpy')
    await sleep(FRESH_FOR * 1000 + 500)
    await bench.upstream.set({ mode: 'silent' })
    await note('silent page', page(server, 'numpy'))
    if (file === undefined) cells['silent file status'] = 'no page'
    else await note('silent file', ask(file, { patience: PATIENCE }))
    await note('silent new page', page(server, 'six'))
  })
  return cells
}
