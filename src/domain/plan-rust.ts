/** Which Cargo.lock a Rust project is built by. */
import { parseCargoLock, type CargoLock } from './cargo-lock.ts'
import type { Failure } from './failure.ts'
import { readToml, tableAt } from './plan-backend.ts'
import { withoutComments, type SdistContents } from './plan-contents.ts'

/**
 * The crates of every manifest that the build compiles, each once; or why they cannot be had, since builds have no network: a crate from
 * elsewhere, or no lock at all.
 */
export function rustCrates(contents: SdistContents, pyproject: Record<string, unknown>): { crates: CargoLock } | { failure: Failure } {
  if (isVendored(contents)) return { crates: [] }
  const locks = new Set<string>()
  for (const manifest of manifests(contents, pyproject)) {
    const lock = lockOf(contents, manifest)
    if (lock === undefined) return refused(`it brings no Cargo.lock for ${manifest}, and cargo cannot choose crates without a network`)
    locks.add(lock)
  }
  const crates = new Map<string, CargoLock[number]>()
  for (const lock of locks) {
    const parsed = parseCargoLock(contents.texts.get(lock)!)
    if ('problem' in parsed) return parsed.crate === undefined ? refused(parsed.problem) : { failure: { class: 'needs-network', key: parsed.problem } }
    for (const crate of parsed.crates) crates.set(`${crate.name} ${crate.version} ${crate.checksum}`, crate)
  }
  return { crates: [...crates.values()] }
}

/** Some sdists bring their crates along, and tell cargo so. */
function isVendored({ texts }: SdistContents): boolean {
  const config = readToml(texts.get('.cargo/config.toml') ?? texts.get('.cargo/config'))
  const next = config && tableAt(config, 'source', 'crates-io')['replace-with']
  return typeof next === 'string' && typeof tableAt(config!, 'source', next)['directory'] === 'string'
}

/** maturin's `manifest-path`, setuptools-rust's `path`s in pyproject.toml and setup.py; else the manifest at the top, else the only one. */
function manifests({ texts }: SdistContents, pyproject: Record<string, unknown>): string[] {
  const all = [...texts.keys()].filter((path) => /(?:^|\/)Cargo\.toml$/.test(path))
  const { 'manifest-path': maturin } = tableAt(pyproject, 'tool', 'maturin')
  const tables = ['ext-modules', 'bins'].map((name) => tableAt(pyproject, 'tool', 'setuptools-rust')[name]).flatMap((value) => Array.isArray(value) ? value as unknown[] : [])
  const declared = [maturin, ...tables.map((table) => (table as Record<string, unknown> | null)?.['path'])].filter((path) => typeof path === 'string')
  const inSetup = [...withoutComments(texts.get('setup.py') ?? '').matchAll(/["']((?:[\w.-]+\/){0,9}Cargo\.toml)["']/g)].map(([, path = '']) => path)
  const named = [...declared, ...inSetup].map((path) => path.replace(/^(?:\.\/)+/, '')).filter((path) => texts.has(path))
  if (named.length > 0) return [...new Set(named)]
  if (all.includes('Cargo.toml')) return ['Cargo.toml']
  return all.toSorted((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1)).slice(0, 1)
}

/** Beside the manifest, or in a folder above: that of its workspace. */
function lockOf({ texts }: SdistContents, manifest: string): string | undefined {
  const folders = manifest.split('/').slice(0, -1)
  for (let depth = folders.length; depth >= 0; depth--) {
    const path = [...folders.slice(0, depth), 'Cargo.lock'].join('/')
    if (texts.has(path)) return path
  }
  return undefined
}

function refused(key: string): { failure: Failure } {
  return { failure: { class: 'bad-sdist', key } }
}
