/** What is read out of an sdist, so that its build can be planned without running any of it. */

export interface SdistContents {
  /** Its one top-level folder. */
  folder: string
  entries: number
  /** Bytes of all files. */
  bytes: number
  /** What says how it is built, by its path below the top-level folder: the texts that `wanted` names, long ones cut. */
  texts: Map<string, string>
  /** Files that are compiled, or that a compiler's input is made from. */
  sources: SourceCount[]
  /** Paths of programs and lists that a build may run, such as `configure`. */
  scripts: string[]
}

export interface SourceCount {
  /** In lower case, with its dot. */
  ending: string
  files: number
  bytes: number
}

/** Endings that make a compiler necessary. Headers do not: projects ship them as data. */
const COMPILED = ['.c', '.cc', '.cpp', '.cxx', '.c++', '.pyx', '.f', '.for', '.f90', '.f95', '.rs', '.go', '.s', '.asm', '.m', '.mm', '.cu']
/** Inputs of generators. */
const GENERATED = ['.i', '.swg', '.y', '.yy', '.ypp', '.l', '.ll', '.sip']
const SCRIPTS = ['configure', 'configure.ac', 'configure.in', 'autogen.sh', 'bootstrap', 'Makefile.am', 'build.rs']

const KIB = 1024
/** No backend takes a pyproject.toml of that length. */
const LONGEST_TEXT = 1024 * KIB
const TEXTS_AT_TOP = ['PKG-INFO', 'pyproject.toml', 'setup.cfg']
const TEXTS_ANYWHERE = ['meson.build', 'CMakeLists.txt', 'Cargo.toml', 'Cargo.lock']
const CARGO_CONFIG = /(?:^|\/)\.cargo\/config(?:\.toml)?$/
/** Where Cython's own directives stand. */
const HEAD = 2 * KIB

/** How many bytes of the file at this path, below the top-level folder, are wanted: a longer one is cut. 0: none. */
export function wanted(path: string): number {
  const parts = path.split('/')
  const name = parts.at(-1)!
  if (TEXTS_ANYWHERE.includes(name) || CARGO_CONFIG.test(path)) return LONGEST_TEXT
  // Not setup.py alone: backends take build scripts of any name, and in-tree backends are modules.
  if (parts.length === 1 && (TEXTS_AT_TOP.includes(name) || name.endsWith('.py'))) return LONGEST_TEXT
  // setuptools leaves a copy here; an archive of a repository may hold no other.
  if (name === 'PKG-INFO' && parts.at(-2)?.endsWith('.egg-info')) return LONGEST_TEXT
  return name.endsWith('.pyx') ? HEAD : 0
}

/** The ending under which a file counts among the sources; undefined: it does not. */
export function sourceEnding(path: string): string | undefined {
  const ending = /\.[\w+]+$/.exec(path)?.[0].toLowerCase()
  return ending !== undefined && (COMPILED.includes(ending) || GENERATED.includes(ending)) ? ending : undefined
}

/** Whether the file is one that builds run, by its name. */
export function isScript(path: string): boolean {
  return SCRIPTS.includes(path.split('/').at(-1)!)
}

/** The sources that are compiled themselves. */
export function compiled(contents: Pick<SdistContents, 'sources'>): SourceCount[] {
  return contents.sources.filter(({ ending }) => COMPILED.includes(ending))
}

/** All texts of this file name, wherever they lie, as one. */
export function everyText(contents: Pick<SdistContents, 'texts'>, name: string): string {
  return [...contents.texts].filter(([path]) => path.split('/').at(-1) === name).map(([, text]) => text).join('\n')
}

/** Python without its comments: what is switched off by one says nothing. */
export function withoutComments(text: string): string {
  return text.replace(/(^|\s)#[^\n]*/g, '$1')
}
