/** Crates for projects in Rust: fetched through Muslin where no code of the sdist runs, and laid out where it does. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { CargoLock } from '../domain/cargo-lock.ts'
import { cleanLine } from '../domain/clean.ts'
import type { Failure } from '../domain/failure.ts'
import { carryFiles, type Carried } from './carry.ts'
import { PLAIN } from './environment.ts'
import { Failed } from './failed.ts'
import { script } from './scripts.ts'
import { PLACE, type Box, type Session } from './session.ts'

const CRATE = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*\.crate$/
const LIST = 'crates.json'

/** For commands that run the sdist's own code, once `placeCrates` is done: where cargo finds its configuration. */
export const CARGO: Record<string, string> = { CARGO_HOME: `${PLACE}/cargo` }

/**
 * The crates of a plan's `cargoLock`, each what the lock says; in a fetch container, and none where there are none. `indexUrl` is the base
 * URL at which that container reaches Muslin. Throws Failed: `bad-sdist` for one that the registry does not have, or has with other bytes,
 * `needs-network` where no registry is set, `infrastructure` where it could not be reached.
 */
export async function fetchCrates(session: Session, { image, indexUrl }: { image: string; indexUrl: string }, crates: CargoLock): Promise<Carried[]> {
  if (crates.length === 0) return []
  session.say(`${crates.length} crates are fetched`)
  return session.within({ image, network: 'fetch' }, async (box) => {
    await box.put([await script('crates.py'), list(crates)])
    const { exitCode, text } = await box.exec(['python3', `${PLACE}/crates.py`, 'fetch', indexUrl.endsWith('/') ? indexUrl : `${indexUrl}/`], { env: PLAIN })
    if (exitCode !== 0) throw new Failed(cratesFailure(text) ?? await box.why(text))
    const carried = await carryFiles(session, box, { folder: 'crates', to: join(session.work.scratch, 'crates'), names: CRATE, blame: 'infrastructure' })
    const wanted = new Map(crates.map((crate) => [filenameOf(crate), crate.checksum]))
    const right = carried.filter(({ filename, sha256 }) => wanted.get(filename) === sha256)
    if (right.length !== wanted.size) throw new Failed({ class: 'infrastructure', key: 'the fetch container brought other crates than it was told to' })
    return right
  })
}

/**
 * Lays fetched crates out in a build container before any code of the sdist runs: as a folder of vendored crates that takes the place of
 * cargo's own registry. From then on commands need `CARGO` in their environment. An sdist's own cargo configuration still comes first.
 */
export async function placeCrates(box: Box, crates: CargoLock, fetched: Carried[]): Promise<void> {
  if (crates.length === 0) return
  await box.put([
    await script('crates.py'), list(crates),
    ...fetched.map(({ filename, path, size }) => ({ name: `crates/${filename}`, body: { size, open: () => createReadStream(path) } })),
  ])
  const { exitCode, text } = await box.exec(['python3', `${PLACE}/crates.py`, 'place'], { env: PLAIN })
  if (exitCode !== 0) throw new Failed(cratesFailure(text) ?? await box.why(text))
}

/** For a plan with a `cargoLock`. Throws Failed `missing-command` where the image has no cargo: backends would say it in many ways, or fetch one. */
export async function needCargo(box: Box): Promise<void> {
  const { exitCode } = await box.exec(['sh', '-c', 'command -v cargo'], { env: PLAIN })
  if (exitCode !== 0) throw new Failed({ class: 'missing-command', key: 'cargo', apks: ['cargo'] })
}

/** What crates.py says of the first crate at fault. */
export function cratesFailure(text: string): Failure | undefined {
  const [, kind, crate, why = ''] = /^crates: (\S+) (\S+ \S+): (.*)$/m.exec(text) ?? []
  if (kind === undefined) return undefined
  if (kind === 'checksum') return { class: 'bad-sdist', key: cleanLine(`the crate ${crate} of its Cargo.lock: ${why}`) }
  if (kind === 'not-found') return { class: 'bad-sdist', key: cleanLine(`its Cargo.lock names the crate ${crate}, which the registry does not have`) }
  if (kind === 'no-crates-index') return { class: 'needs-network', key: 'for its crates: the setting cratesIndex names no registry' }
  return { class: 'infrastructure', key: cleanLine(`the crate ${crate} could not be fetched: ${why}`) }
}

function list(crates: CargoLock): { name: string; body: string } {
  return { name: LIST, body: JSON.stringify(crates.map(({ name, version, checksum }) => [name, version, checksum])) }
}

function filenameOf({ name, version }: CargoLock[number]): string {
  return `${name}-${version}.crate`
}
