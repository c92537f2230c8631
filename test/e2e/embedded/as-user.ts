/**
 * The embedded engine's checks, by whatever user runs this program: `contract|hostile|limits|run|sweep HOW FOLDER PYTHON`, the plan on standard input. Says one line of JSON for each
 * check, and one for each row of the table of attempts, for `scenarios/embedded.ts` to tell.
 */
import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { systemClock } from '../../../src/clock.ts'
import { cgroupsHold } from '../../../src/engine/embedded/cgroup.ts'
import { createEmbeddedEngine } from '../../../src/engine/embedded/engine.ts'
import { engineContract, type Check, type Traits } from '../../contracts/engine.ts'
import { hostileChecks, type HostilePlan } from './hostile.ts'
import { limitChecks } from './limits.ts'
import { machineRoots } from './roots.ts'

const [what = '', how = '', folder = '', python = ''] = process.argv.slice(2)

const held = await cgroupsHold()
const inMemory = held && process.getuid?.() === 0

const traits: Traits = {
  image: { kind: 'ready', ref: 'machine' },
  absent: { source: { kind: 'ready', ref: 'muslin-absent' }, named: /muslin-absent/ },
  // On a disk of others the limit on the size of a file is there before the engine.
  full: inMemory ? /no space left/i : /file too large|no space left/i,
  processes: 'refused', apart: true, places: inMemory ? 'memory' : 'disk', seccomp: true, derives: false, overshoot: held ? 1 : 8, network: 'host',
}

const roots = await machineRoots(python)
const isolation = how === 'none' ? 'none' as const : 'sandbox' as const
const log = pino({ level: 'silent' })
const engine = () => createEmbeddedEngine({
  folder, isolation, launcher: python, roots, process: randomBytes(4).toString('hex'), log, clock: systemClock,
  ...(how === 'bubblewrap' || how === 'unshare' ? { how } : {}),
})

const check: Check = async (name, run) => {
  const began = Date.now()
  const error = await run().then(() => undefined, (thrown: unknown) => thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
  console.log(JSON.stringify({ check: name, error, seconds: (Date.now() - began) / 1000 }))
}

if (what === 'contract') await engineContract({ engine, traits, check })
else if (what === 'hostile') await hostileChecks({ engine: engine(), image: 'machine', plan: JSON.parse(await text(process.stdin)) as HostilePlan, folder, how, check, row: (row) => console.log(JSON.stringify({ row })) })
else if (what === 'limits') await limitChecks({ engine: engine(), image: 'machine', plan: JSON.parse(await text(process.stdin)) as HostilePlan, folder, held, inMemory, check })
else if (what === 'sweep') console.log(JSON.stringify({ swept: await engine().sweep() }))
else await runFor(await text(process.stdin))

/** Runs until it is ended from outside, with processes of its own in every way to outlive it. */
async function runFor(mark: string): Promise<void> {
  const run = await engine().create({
    image: 'machine', label: 'run', user: '1000:1000', network: 'none', writable: ['/tmp'],
    limits: { cpu: 1, memoryBytes: 256 << 20, diskBytes: 16 << 20, processes: 32 },
  })
  const command = ['sh', '-c', 'trap "" TERM HUP; (setsid sh -c "sleep 300; :" "$0" &); sleep 1; echo up; sleep 300; :', mark]
  await run.exec(command, { env: {}, output: (chunk) => console.log(JSON.stringify({ up: Buffer.from(chunk).toString() })) })
}
