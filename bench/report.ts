/** `npm --prefix bench run report`: puts the tables of bench/results/ into docs/benchmarks.md, with the machine and the versions that they were measured with. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './lib/folders.ts'
import { saved } from './lib/results.ts'
import { markdown } from './lib/table.ts'
import { SCENARIOS } from './scenarios/scenarios.ts'

const FILE = join(ROOT, 'docs/benchmarks.md')
const [BEGIN, END] = ['<!-- figures: npm --prefix bench run report -->', '<!-- end of figures -->']

const results = saved()
const found = SCENARIOS.flatMap(({ name }) => results.get(name) ?? [])
const [first] = found
if (!first) throw new Error('bench/results/ is empty: run the bench first')
const { machine } = first
const versions = Object.assign({}, ...found.map((one) => one.versions)) as Record<string, string>
const figures = [
  `Measured on ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.system}. ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join('; ')}.`,
  '', ...found.map(({ measured }) => markdown(measured)),
].join('\n')

const text = readFileSync(FILE, 'utf8')
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
if (begin < 0 || end < begin) throw new Error(`${FILE} has no place for the figures`)
writeFileSync(FILE, `${text.slice(0, begin + BEGIN.length)}\n\n${figures}\n${text.slice(end)}`)
console.log(`${found.length} tables are in ${FILE}`)
