/**
 * `npm run conformance [-- PART…] [--slice]`: what Muslin serves, compared with what its upstream sent and with the standards. The parts are recorded, synthetic, list,
 * negotiation and clients. It needs the recording of `npm run record`; where there is none, `--slice` records the pages of a few projects. Ends with "N passed, N failed".
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { recordedPages, RECORDING } from '../recording/folder.ts'
import { enrich } from '../recording/enrich.ts'
import { startRecorder } from '../recording/recorder.ts'
import { checkClients } from './clients.ts'
import { checkList } from './list.ts'
import { checkNegotiation } from './negotiation.ts'
import { comparePages } from './pages.ts'
import { syntheticPages } from './synthetic.ts'

export type Check = (what: string, run: () => Promise<void> | void) => Promise<void>

const FEW = ['attrs', 'idna', 'markupsafe', 'packaging', 'pyyaml', 'requests', 'six']
const { values: flags, positionals: named } = parseArgs({ allowPositionals: true, options: { slice: { type: 'boolean', default: false } } })
const { slice } = flags
const PARTS: Record<string, () => Promise<void>> = {
  async recorded() {
    const pages = await recording()
    await comparePages(check, pages)
    // The index of this machine may be one of an older API; what it says is told once more as one of today tells it.
    await comparePages(check, new Map([...pages].map(([project, bytes]) => [project, Buffer.from(enrich(bytes, () => undefined).json)])))
  },
  synthetic: () => comparePages(check, new Map([...syntheticPages()].map(([about, text]) => [about, Buffer.from(text)]))),
  list: () => checkList(check, slice ? 100_000 : 700_000),
  negotiation: () => checkNegotiation(check),
  clients: () => checkClients(check, slice),
}

let passed = 0
let failed = 0
const unknown = named.filter((name) => !(name in PARTS))
if (unknown.length > 0) stop(`there is no part ${unknown.join(', ')}; the parts are ${Object.keys(PARTS).join(', ')}`)
for (const [name, run] of Object.entries(PARTS)) {
  if (named.length > 0 && !named.includes(name)) continue
  const began = Date.now()
  const before = passed
  console.log(`\n== ${name}`)
  await run().catch((error: unknown) => failure(name, error))
  console.log(`== ${name}: ${passed - before} passed in ${((Date.now() - began) / 1000).toFixed(0)} s`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)

async function check(what: string, run: () => Promise<void> | void): Promise<void> {
  try {
    await run()
    passed += 1
  } catch (error) {
    failure(what, error)
  }
}

function failure(what: string, error: unknown): void {
  failed += 1
  console.log(`  FAIL ${what}\n${String(error instanceof Error ? error.message : error).replaceAll(/^/gm, '       ').slice(0, 3000)}`)
}

/** The recorded pages; of the slice a few, recorded now where they are not. */
async function recording(): Promise<Map<string, Buffer>> {
  const all = await recordedPages(RECORDING)
  if (!slice) return all.size > 0 ? all : stop(`nothing is recorded in ${RECORDING}; run npm run record first`)
  if (FEW.every((project) => all.has(project))) return new Map([...all].filter(([project]) => FEW.includes(project)))
  const folder = await mkdtemp(join(tmpdir(), 'muslin-conformance-'))
  const recorder = await startRecorder(folder)
  try {
    for (const project of FEW) if (!await recorder.page(project)) throw new Error(`this machine's index has no ${project}`)
    return await recordedPages(folder)
  } finally {
    await recorder.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function stop(why: string): never {
  console.error(why)
  process.exit(3)
}
