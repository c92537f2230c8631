/** Cargo.lock: which crates a Rust project is built from. */
import { parse as parseToml } from 'smol-toml'
import { CRATE_NAME, CRATE_VERSION } from './crate-index.ts'
import { tableAt } from './plan-backend.ts'

export interface Crate {
  name: string
  version: string
  /** sha256 of its `.crate` file. */
  checksum: string
}

export type CargoLock = Crate[]

const SHA256 = /^[0-9a-f]{64}$/
/** How every lock names the one public registry, also where crates come from another by cargo's configuration. */
const PUBLIC_REGISTRY = /^registry\+https:\/\/[^/]+\/rust-lang\/[\w.]+-index$/
/** A lock of more is none of a project that anybody builds. */
const MOST_CRATES = 5000

/**
 * The crates of a Cargo.lock of the formats 1 to 4, in its order; what belongs to the project itself is left out. A text says why they
 * cannot be had: `crate` is the one at fault, where it is one.
 */
export function parseCargoLock(text: string): { crates: CargoLock } | { problem: string; crate?: string } {
  let document: Record<string, unknown>
  try {
    document = parseToml(text)
  } catch {
    return { problem: 'its Cargo.lock is not valid TOML' }
  }
  const { version, package: packages = [] } = document
  if (version !== undefined && ![1, 2, 3, 4].includes(version as number)) return { problem: `its Cargo.lock is of another format than 1 to 4` }
  if (!Array.isArray(packages) || packages.length > MOST_CRATES) return { problem: 'its Cargo.lock has no readable list of crates' }
  const crates: CargoLock = []
  for (const entry of packages as unknown[]) {
    const { name, version, source, checksum = checksumOf(document, entry) } = isTable(entry) ? entry : {}
    if (typeof name !== 'string' || typeof version !== 'string' || !CRATE_NAME.test(name) || !CRATE_VERSION.test(version)) return { problem: 'its Cargo.lock holds a crate without a proper name or version' }
    // A crate without a source lies in the sdist.
    if (source === undefined) continue
    const crate = `${name} ${version}`
    if (typeof source !== 'string') return { problem: `its Cargo.lock does not say where the crate ${crate} comes from`, crate }
    if (source.startsWith('git+')) return { problem: `its crate ${crate} comes from a git repository`, crate }
    if (!PUBLIC_REGISTRY.test(source)) return { problem: `its crate ${crate} comes from a registry of its own`, crate }
    if (typeof checksum !== 'string' || !SHA256.test(checksum)) return { problem: `its Cargo.lock has no checksum of the crate ${crate}`, crate }
    crates.push({ name, version, checksum })
  }
  return { crates }
}

/** Format 1 keeps them apart: `"checksum NAME VERSION (SOURCE)" = "…"`. */
function checksumOf(document: Record<string, unknown>, entry: unknown): unknown {
  const { name, version, source } = isTable(entry) ? entry : {}
  return tableAt(document, 'metadata')[`checksum ${String(name)} ${String(version)} (${String(source)})`]
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
