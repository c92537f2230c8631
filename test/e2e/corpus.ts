/**
 * `npm run corpus [-- NAME…] [--slice] [--fresh] [--report]`: real releases from the machine's own upstream, each built, and what was built
 * installed with its requirements on a clean image. Two at a time; what an earlier run saw is not run again, unless it was wrong, the images
 * are others, or `--fresh` is given: another commit is no reason, since all of them take hours. `--slice` takes the few that every
 * change is tested with, NAME those of a project; `--report` runs nothing. Ends with "N passed, N failed".
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nameOf, readCorpus, shortcomings, type Entry } from './corpus/entries.ts'
import { judge, type Seen } from './corpus/judge.ts'
import { line, table } from './corpus/table.ts'
import { cancelAll, tryOut } from './corpus/try-out.ts'
import { docker, images, Lab, ROOT, SECOND, FIRST, type BuiltFor } from './lab.ts'
import { openResults, whatRuns } from './results.ts'

const AT_A_TIME = 2
const RESULTS = join(ROOT, 'test-results/corpus/results.json')

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { slice: { type: 'boolean' }, fresh: { type: 'boolean' }, report: { type: 'boolean' } },
})
const all = readCorpus(await readFile(new URL('./corpus.toml', import.meta.url), 'utf8'))
const lacks = shortcomings(all)
if (lacks.length > 0) stop(`the corpus is too narrow: ${lacks.join('; ')}`)
const unknown = names.filter((name) => !all.some((entry) => isCalled(entry, name)))
if (unknown.length > 0) stop(`the corpus has no ${unknown.join(', ')}`)
const wanted = all.filter((entry) => (!flags.slice || entry.slice) && (names.length === 0 || names.some((name) => isCalled(entry, name))))

await images()
const targets = new Map([['cp313', FIRST], ['cp311', SECOND]])
const ids = new Map<string, string>()
for (const [python, { builder, clean }] of targets) ids.set(python, (await docker(['image', 'inspect', '-f', '{{.Id}}', builder, clean])).replaceAll('\n', ' '))
const imagesOf = ({ target }: Entry): string => ids.get(target) ?? ''
const results = await openResults<Seen>(RESULTS, flags.fresh && !flags.report ? wanted.map(nameOf) : [])
const seenOf = (entry: Entry): Seen | undefined => results.get(nameOf(entry), imagesOf(entry))
const isDone = (entry: Entry): boolean => {
  const seen = seenOf(entry)
  return seen !== undefined && judge(entry, seen) === undefined
}
const due = wanted.filter((entry) => !isDone(entry))
const began = Date.now()
if (!flags.report) console.log(whatRuns(wanted.map(nameOf), due.map(nameOf)))
if (!flags.report && due.length > 0) await run(due)

console.log(`\n${table(wanted, seenOf)}`)
const passed = wanted.filter(isDone).length
console.log(`\ncorpus: ${flags.report ? 0 : due.length} of ${wanted.length} run in ${((Date.now() - began) / 1000).toFixed(0)} s`)
console.log(`${passed} passed, ${wanted.length - passed} failed`)
process.exit(passed === wanted.length && passed > 0 ? 0 : 1)

/** Each lane takes the next release when its last one has ended. Interrupted, it ends what runs; what has ended is kept. */
async function run(entries: Entry[]): Promise<void> {
  const lab = new Lab('corpus')
  const waiting = [...entries]
  try {
    const muslin = await lab.muslin({ targets: [...targets.values()], args: ['--workers', String(AT_A_TIME), '--limits-time', '1h'] })
    // Installs may have queued builds that nobody waits for.
    lab.onClose(async () => {
      await cancelAll(muslin)
      await muslin.stop()
    })
    let interrupted = false
    const interrupt = (): void => {
      if (interrupted) process.exit(130)
      interrupted = true
      console.log('interrupted: what runs is cancelled, what has ended is kept')
      waiting.length = 0
      void cancelAll(muslin)
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
    await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
      for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
        const seen = await tryOut(lab, muslin, entry, targets.get(entry.target) as BuiltFor).catch((error: unknown) => String(error))
        if (interrupted) return
        if (typeof seen === 'string') console.log(`  FAIL ${nameOf(entry)}: ${seen}`)
        else await results.put(nameOf(entry), imagesOf(entry), seen).then(() => console.log(line(entry, seen)))
      }
    }))
  } finally {
    await lab.close()
  }
  await lab.assertNothingLeft()
}

function isCalled({ project, pin }: Entry, name: string): boolean {
  return name === project || name === pin
}

function stop(why: string): never {
  console.error(why)
  process.exit(3)
}
