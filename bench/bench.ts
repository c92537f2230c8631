/** `npm --prefix bench run bench -- NAME… [--rows a,b] [--rounds N] [--seconds N] [--made]`: measures scenarios, all where none is named, and writes their tables to bench/results/. */
import { parseArgs } from 'node:util'
import { withBench } from './lib/bench.ts'
import { machine } from './lib/machine.ts'
import { save } from './lib/results.ts'
import { markdown } from './lib/table.ts'
import { ROWS, rowsByName } from './rows/rows.ts'
import { SCENARIOS, scenariosByName } from './scenarios/scenarios.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string' }, rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' }, made: { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
})
if (values.list) {
  for (const { name, about } of SCENARIOS) console.log(`${name.padEnd(12)} ${about}`)
  process.exit()
}
const scenarios = positionals.length > 0 ? scenariosByName(positionals) : SCENARIOS
const rows = values.rows === undefined ? [...ROWS] : rowsByName(values.rows.split(','))

const failed = await withBench({ rows, rounds: Number(values.rounds), seconds: Number(values.seconds), made: values.made }, async (bench) => {
  const where = await machine()
  let notes = 0
  for (const scenario of scenarios) {
    bench.say(`\n== ${scenario.name}: ${scenario.about}`)
    const measured = await scenario.run(bench)
    save(scenario.name, measured, { machine: where, versions: bench.versions })
    console.log(markdown(measured))
    notes += measured.notes.filter((note) => note.startsWith('muslin')).length
  }
  return notes
})
// What fails of a peer is a result; what fails of ours is a failure.
process.exit(failed > 0 ? 1 : 0)
