/**
 * `npm run test:clients [-- NAME…] [--slice] [--fresh] [--report]`: real clients wait for real builds, each in its own way (`clients.toml`). All cells run
 * side by side, the longest first; what an earlier run saw is not run again, unless it was wrong, the images or the sources are others, or
 * `--fresh` is given. `--slice` takes the few that every change is tested with, and fails where they take longer than they may; NAME is a client, or one
 * of its cells (`pip`, `'uv 45 s nginx'`); `--report` runs nothing.
 * What the clients printed and the server's lines about them are kept in test-results/clients/logs. Ends with "N passed, N failed".
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CLIENTS, nameOf, readCells, shortcomings, SLEEPS, type Cell } from './clients/cells.ts'
import { clientImages, CLIENTS_IMAGE, PIPENV_IMAGE } from './clients/commands.ts'
import { createGate } from './clients/gate.ts'
import { judge, type Seen } from './clients/judge.ts'
import { runCell } from './clients/run-cell.ts'
import { setStage, type Stage } from './clients/stage.ts'
import { line, table } from './clients/table.ts'
import { differences } from './clients/told.ts'
import { digestOf } from './digest.ts'
import { BUILDER, CLEAN, docker, LABEL, Lab, ROOT } from './lab.ts'
import { openResults, whatRuns } from './results.ts'

/** Until a build sleeps it needs a processor, and so does its client. */
const BEGIN_AT_A_TIME = 2
const RESULTS = join(ROOT, 'test-results/clients/results.json')
/** What waiting depends on: a result by other ones tells nothing. */
const SOURCES = ['src', 'builders', 'test/e2e/clients.toml', 'test/e2e/clients']
/** The slice is part of every change's tests, seconds. */
const SLICE_MOST = 720

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { slice: { type: 'boolean' }, fresh: { type: 'boolean' }, report: { type: 'boolean' } },
})
const all = readCells(await readFile(new URL('./clients.toml', import.meta.url), 'utf8'))
const lacks = [...shortcomings(all), ...differences(all)]
if (lacks.length > 0) stop(`the table is not as it must be:\n${lacks.join('\n')}`)
const unknown = names.filter((name) => !all.some((cell) => isCalled(cell, name)))
if (unknown.length > 0) stop(`there is no ${unknown.join(', ')}; the clients are ${CLIENTS.join(', ')}, a cell is called as '${nameOf(all[0] as Cell)}'`)
const wanted = all.filter((cell) => (!flags.slice || cell.slice) && (names.length === 0 || names.some((name) => isCalled(cell, name))))

await clientImages()
const ids = (await docker(['image', 'inspect', '-f', '{{.Id}}', BUILDER, CLEAN, CLIENTS_IMAGE, PIPENV_IMAGE])).replaceAll('\n', ' ')
const made = `${ids} sources:${await digestOf(ROOT, SOURCES)}`
const results = await openResults<Seen>(RESULTS, flags.fresh && !flags.report ? wanted.map(nameOf) : [])
const seenOf = (cell: Cell): Seen | undefined => results.get(nameOf(cell), made)
const isDone = (cell: Cell): boolean => {
  const seen = seenOf(cell)
  return seen !== undefined && judge(cell, seen) === undefined
}
const due = wanted.filter((cell) => !isDone(cell)).toSorted((a, b) => SLEEPS[b.build] - SLEEPS[a.build])
const began = Date.now()
if (!flags.report) console.log(whatRuns(wanted.map(nameOf), due.map(nameOf)))
if (!flags.report && due.length > 0) await run(due)
const seconds = (Date.now() - began) / 1000

console.log(`\n${table(wanted, seenOf)}`)
const passed = wanted.filter(isDone).length
const isLate = flags.slice === true && seconds > SLICE_MOST
console.log(`\nclients: ${flags.report ? 0 : due.length} of ${wanted.length} run in ${seconds.toFixed(0)} s`)
if (isLate) console.log(`  FAIL the slice took ${seconds.toFixed(0)} s, ${SLICE_MOST} at most`)
const failed = wanted.length - passed + (isLate ? 1 : 0)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)

/** Interrupted, it ends its clients and builds; what has ended before is kept. */
async function run(cells: Cell[]): Promise<void> {
  const lab = new Lab('clients')
  const gate = createGate(BEGIN_AT_A_TIME)
  let stage: Stage | undefined
  let interrupted = false
  const interrupt = (): void => {
    if (interrupted) process.exit(130)
    interrupted = true
    console.log('interrupted: what runs is ended, what has ended is kept')
    void Promise.all([endClients(), stage?.cancel()])
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    const set = stage = await setStage(lab, cells)
    await Promise.all(cells.map(async (cell) => {
      const leave = await gate.enter()
      if (interrupted) return leave()
      const seen = await runCell(lab, set, cell, leave).catch((error: unknown) => String(error)).finally(leave)
      if (interrupted) return
      if (typeof seen === 'string') console.log(`  FAIL ${nameOf(cell)}: ${seen}`)
      else await results.put(nameOf(cell), made, seen).then(() => console.log(line(cell, seen)))
    }))
  } finally {
    await lab.close()
  }
  await lab.assertNothingLeft()
}

async function endClients(): Promise<void> {
  const running = (await docker(['ps', '-q', '--filter', `label=${LABEL}`])).split('\n').filter(Boolean)
  if (running.length > 0) await docker(['kill', ...running])
}

function isCalled(cell: Cell, name: string): boolean {
  return name === cell.client || name === nameOf(cell)
}

function stop(why: string): never {
  console.error(why)
  process.exit(3)
}
