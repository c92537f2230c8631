/** Which apks of a repository hold what a build was missing. */
import { bareName, provides, type ApkEntry } from './apk-index.ts'
import type { Failure } from './failure.ts'
import { APK_NAME, suggestApks } from './missing.ts'

/** The image's own Python stays the only one: no apk brings another, or modules for it. */
const PYTHON = /^(?:python3|pypy3?|py3(?:\.\d+)?-.*|cython)$/
const PYTHON_COMMANDS = ['cmd:python3', 'cmd:python', 'cmd:pip3', 'cmd:pip']

/**
 * Names of apks among `entries` for what a failure names, best first: those that our data knows, then those that say so themselves
 * (`pc:`, `cmd:`, and for a library the -dev apk beside the one that provides its `so:`). None where nothing is known.
 */
export function findApks(failure: Failure, entries: ApkEntry[]): string[] {
  const known = suggestApks(failure).flatMap((name) => providers(entries, name))
  const found = [...new Set([...known, ...told(failure, entries)])].filter((name) => APK_NAME.test(name))
  return found.length === 0 ? [] : withoutPython(found, entries)
}

/** The apk among `entries` that is called so, or else the best that provides it; undefined where there is none, and for what is no name. */
export function resolveApk(entries: ApkEntry[], name: string): string | undefined {
  return APK_NAME.test(name) ? providers(entries, name).find((one) => APK_NAME.test(one)) : undefined
}

/** Whether this apk would put another Python, or modules of one, beside the image's own (`building.md` section 7). */
export function bringsPython({ name, provides }: Pick<ApkEntry, 'name' | 'provides'>): boolean {
  return PYTHON.test(name) || provides.some((one) => PYTHON_COMMANDS.includes(bareName(one)))
}

/** Those that no second Python comes along with, however far down. */
function withoutPython(names: string[], entries: ApkEntry[]): string[] {
  const byName = new Map<string, ApkEntry[]>()
  for (const entry of entries) {
    for (const name of [entry.name, ...entry.provides.map(bareName)]) byName.set(name, [...byName.get(name) ?? [], entry])
  }
  return names.filter((name) => {
    const seen = new Set<string>()
    const next = [name]
    for (let at = next.pop(); at !== undefined; at = next.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      // Where one of several will do, it is not Python.
      const [only, ...others] = byName.get(at) ?? []
      if (!only || others.length > 0) continue
      if (bringsPython(only)) return false
      next.push(...only.depends.filter((one) => !one.startsWith('!')).map(bareName))
    }
    return true
  })
}

function told({ class: kind, key }: Failure, entries: ApkEntry[]): string[] {
  if (kind === 'missing-pkg-config') return providers(entries, `pc:${key}`)
  if (kind === 'missing-command') return providers(entries, `cmd:${key}`)
  if (kind === 'missing-library') return developing(entries, key)
  return []
}

/** The apk of this name, or else those that provide it: handed over as it is, apk refuses to choose among several. */
function providers(entries: ApkEntry[], name: string): string[] {
  if (entries.some((entry) => entry.name === name)) return [name]
  const found = entries.filter((entry) => provides(entry, name) && !bringsPython(entry))
  return found.map((entry) => entry.name).sort((a, b) => Number(isDev(b)) - Number(isDev(a)) || a.length - b.length || (a < b ? -1 : 1))
}

/** A linker looks for `libNAME.so`, which comes with the headers: not in the apk of the library itself. */
function developing(entries: ApkEntry[], key: string): string[] {
  const library = `so:lib${linkName(key)}.so`
  const owners = entries.filter((entry) => entry.provides.some((one) => isVersionOf(bareName(one), library)))
  return owners.flatMap((owner) => {
    const beside = entries.filter((entry) => entry.origin === owner.origin && isDev(entry.name))
    const near = beside.filter((entry) => entry.name === `${owner.name}-dev` || entry.depends.some((one) => bareName(one) === owner.name))
    return [...near, ...beside.filter((entry) => entry.name === `${owner.origin}-dev`), ...beside].map((entry) => entry.name)
  })
}

/** `so:libz.so`, `so:libz.so.1`, and `so:libz-1.2.so` of libz. */
function isVersionOf(provided: string, library: string): boolean {
  return provided === library || provided.startsWith(`${library}.`)
}

/** As a linker takes it: `ffi` of `-lffi`, `libffi` and `libffi.so.8`. */
function linkName(key: string): string {
  return key.replace(/^-l/, '').replace(/\.(?:so|a)(?:\.[\d.]{1,20})?$/, '').replace(/^lib(?=.)/, '')
}

function isDev(name: string): boolean {
  return name.endsWith('-dev')
}
