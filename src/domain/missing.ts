/** What Alpine calls the thing that a build was missing. */
import table from '../../builders/missing.json' with { type: 'json' }
import type { Failure, FailureClass } from './failure.ts'

type Names = Record<string, string[]>

interface Missing {
  /** Where its class looks, best first. */
  apks: ((key: string) => string[])[]
  /** Why no apk has it, by what it is called. */
  absent: Record<string, string>
}

/**
 * The apks that hold what this failure names, the preferred one first; none where nothing is known, where nothing of Alpine's can help,
 * and where the thing should come with the project or with CPython itself. Each matches `^[a-z0-9][a-z0-9+._:-]*$`.
 */
export function suggestApks({ class: name, key }: Failure): string[] {
  const missing = MISSING[name]
  if (!missing || absentOnAlpine({ class: name, key }) !== undefined) return []
  for (const look of missing.apks) {
    const found = look(key).filter((apk) => APK_NAME.test(apk))
    if (found.length > 0) return found
  }
  return []
}

/** Why no apk can help: it exists for another system's libraries alone. Undefined for everything else. */
export function absentOnAlpine({ class: name, key }: Failure): string | undefined {
  const absent = MISSING[name]?.absent
  if (!absent) return undefined
  return of(absent, name === 'missing-library' ? linkName(key) : plainHeader(key)) ?? of(absent, key.toLowerCase())
}

/** The requirement (PEP 508) that brings a Python module which a build imports; undefined for all but such failures, and for odd names. */
export function suggestRequirement({ class: name, key }: Failure): string | undefined {
  if (name !== 'missing-python-module' || !/^[A-Za-z_]\w{0,60}(?:\.\w{1,60}){0,9}$/.test(key)) return undefined
  const modules: Record<string, string> = table.modules
  return of(modules, key) ?? of(modules, key.split('.').slice(0, 2).join('.')) ?? of(modules, key.split('.')[0]!)
}

/** What may be handed to apk as a name. */
export const APK_NAME = /^[a-z0-9][a-z0-9+._:-]*$/

const HEADERS: Names = table.headers
const FOLDERS: Names = table.headerFolders
const PKG_CONFIG: Names = table.pkgconfig
const COMMANDS: Names = table.commands
const LIBRARIES: Names = table.libraries
const NAMES: Names = table.names

const MISSING: Partial<Record<FailureClass, Missing>> = {
  'missing-header': { apks: [(key) => of(HEADERS, plainHeader(key)) ?? [], (key) => folderOf(plainHeader(key))], absent: table.absent.headers },
  'missing-pkg-config': { apks: [(key) => of(PKG_CONFIG, key) ?? [], byName], absent: table.absent.pkgconfig },
  'missing-command': { apks: [(key) => of(COMMANDS, key) ?? of(COMMANDS, key.toLowerCase()) ?? [], byName], absent: table.absent.commands },
  // Linkers, CMake, Meson and setup scripts each have their own word for a library.
  'missing-library': { apks: [(key) => of(LIBRARIES, linkName(key)) ?? [], byName, (key) => of(PKG_CONFIG, key) ?? []], absent: table.absent.libraries },
}

function of<Value>(names: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(names, key) ? names[key] : undefined
}

function byName(key: string): string[] {
  const name = linkName(key.toLowerCase())
  return of(NAMES, key.toLowerCase()) ?? of(NAMES, name) ?? of(NAMES, name.replace(/^lib/, '')) ?? []
}

/** `libfoo.so.1` and `foo` are one library. */
function linkName(key: string): string {
  return key.replace(/^lib(?=.{1,100}\.(?:so|a)\b)/, '').replace(/\.(?:so|a)(?:\.[\d.]{1,20})?$/, '')
}

/** As an `#include` names it; one that is looked for beside the source keeps its dots, and nothing of Alpine's is called so. */
function plainHeader(key: string): string {
  return key.replace(/^\/usr\/(?:local\/)?include\//, '')
}

/** For headers that no table lists one by one: the deepest folder that only one apk fills. */
function folderOf(header: string): string[] {
  const parts = header.split('/').slice(0, -1)
  for (let depth = Math.min(parts.length, 4); depth > 0; depth--) {
    const found = of(FOLDERS, `${parts.slice(0, depth).join('/')}/`)
    if (found) return found
  }
  return []
}
