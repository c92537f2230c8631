/**
 * `npm --prefix bench run check [-- --rounds N] [--seconds N] [--busy]`: measures what Muslin must reach, beside nginx and the peers, in one run, and holds it against its bounds.
 * Ends with "N passed, N failed". It refuses a machine that others use, unless --busy says that the figures are not meant.
 */
import { parseArgs } from 'node:util'
import { withBench, type Bench } from './lib/bench.ts'
import { disturbed, machine } from './lib/machine.ts'
import { save } from './lib/results.ts'
import { figure, markdown, type Measured } from './lib/table.ts'
import { installMusts, outageMusts, speedMusts, stormMusts } from './musts/musts.ts'
import { line } from './musts/must.ts'
import { ROWS } from './rows/rows.ts'
import type { Row } from './rows/row.ts'
import { installs } from './scenarios/installs.ts'
import { hotNumpy } from './scenarios/pages.ts'
import { scenariosByName } from './scenarios/scenarios.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' }, busy: { type: 'boolean', default: false } } })
const where = await machine()
const disturbance = disturbed(where)
console.log(`${where.cpu}, ${where.cores} cores, load ${where.load.toFixed(1)}${disturbance ? `; ${disturbance}` : ''}`)
if (disturbance && !values.busy) {
  console.error('its figures would say nothing; --busy measures nevertheless')
  process.exit(3)
}

const OURS = ['muslin', 'nginx-static', 'muslin-nginx']
/** Node's own server tells how much of a figure is Node's. */
const LIMITS = [...OURS, 'bare-node']
/** Which rows a scenario's requirements compare. */
const COMPARED: [scenario: string, rows: (row: Row) => boolean][] = [
  ['hot', (row) => row.name !== 'muslin-nginx' && row.name !== 'direct'],
  ['mix', (row) => LIMITS.includes(row.name)],
  ['unchanged', (row) => LIMITS.includes(row.name)],
  ['crowd', (row) => LIMITS.includes(row.name)],
  ['files', (row) => OURS.includes(row.name)],
  ['cold', (row) => row.name === 'muslin'],
  ['start', (row) => row.name === 'muslin'],
  ['storm', (row) => row.name === 'muslin'],
  ['huge', (row) => row.name === 'muslin'],
  ['outage', (row) => row.name === 'muslin'],
]

const musts = await withBench({ rows: [...ROWS], rounds: Number(values.rounds), seconds: Number(values.seconds), made: false }, async (bench) => {
  const results = new Map<string, Measured>()
  for (const [name, compared] of COMPARED) {
    bench.say(`\n== ${name}`)
    const scenario = name === 'hot' ? hotNumpy : scenariosByName([name])[0]!
    const measured = await scenario.run({ ...bench, rows: bench.rows.filter(compared) })
    results.set(name, measured)
    save(`check-${name}`, measured, { machine: where, versions: bench.versions })
    console.log(markdown(measured))
  }
  const installed = await compareInstalls(bench)
  save('check-installs', installed, { machine: where, versions: bench.versions })
  console.log(markdown(installed))
  return [...speedMusts(results, bench), ...stormMusts(results), ...outageMusts(results), ...installMusts(installed, bench)]
})
const failed = musts.filter(({ met }) => !met).length
console.log(`${musts.map(line).join('\n')}\n${musts.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

/** Every peer runs once; then Muslin, nginx and the fastest peer of each client nine times, in turn. */
async function compareInstalls(bench: Bench): Promise<Measured> {
  const among = (rows: (row: Row) => boolean, rounds: number): Bench => ({ ...bench, rounds, rows: bench.rows.filter(rows) })
  bench.say('\n== installs: the fastest peer')
  const once = await installs.run(among(({ peer, metadata }) => peer && metadata, 1))
  const fastest = new Set((['pip', 'uv'] as const).map((client) => [...once.rows.keys()].toSorted((a, b) => (figure(once, a, client) || Infinity) - (figure(once, b, client) || Infinity))[0]))
  bench.say(`\n== installs: nine in turn, beside ${[...fastest].join(' and ')}`)
  return installs.run(among(({ name }) => name === 'muslin' || name === 'nginx-static' || fastest.has(name), 9))
}
