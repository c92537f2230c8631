/** What a Python says about how it was built, corrected for what its extensions are built with here. Pure. */
import rules from '../../../builders/embedded/sysconfig.json' with { type: 'json' }

/** Values of `build_time_vars`: texts, and numbers that describe types and features. */
export type BuildVariables = Record<string, string | number>

/** The name of the corrected module; the interpreter takes it by _PYTHON_SYSCONFIGDATA_NAME. */
export const SYSCONFIG_MODULE = '_sysconfigdata_muslin'

const SET: BuildVariables = rules.set
/** Older CPythons on musl import what is named for glibc, unless their distribution changed that: all of them import a plain `.so`. */
const NAMES_MUSL = 11
/** Words of the machine's own compiler, its options and its folders: each of them leads a build astray. */
const OF_THE_MACHINE = /\/|\bgnu\b|(?:^|[\s'])-|\b(?:gcc|g\+\+|clang|cc|c\+\+)\b/

/**
 * The machine's variables, without what names its compiler, flags or folders, and with those of musl and of our wrappers. Numbers stay: they
 * tell of the same types on either libc. `minor` is like `3.13`, `cpu` as in platform tags.
 */
export function correctSysconfig(variables: BuildVariables, { minor, cpu }: { minor: string; cpu: string }): BuildVariables {
  const kept = Object.entries(variables).filter(([name, value]) => typeof value === 'number' || rules.keep.includes(name) || !OF_THE_MACHINE.test(value))
  const fill = (value: string | number) => typeof value === 'string' ? value.replace('{tag}', minor.replace('.', '')).replace('{cpu}', cpu) : value
  const set = Object.entries(SET).map(([name, value]): [string, string | number] => [name, fill(value)])
  return { ...Object.fromEntries([...kept, ...set]), ...(Number(minor.split('.')[1]) < NAMES_MUSL ? { EXT_SUFFIX: '.so' } : {}) }
}

/** The variables as the source of a Python module: JSON of texts and numbers is Python. */
export function sysconfigModule(variables: BuildVariables): string {
  return `build_time_vars = ${JSON.stringify(variables, null, 1)}\n`
}
