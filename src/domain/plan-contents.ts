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
/** Folders of what no build compiles. */
const ASIDE = ['test', 'tests', 'test cases', 'manual tests', 'testing', 'example', 'examples', 'doc', 'docs', 'bench', 'benchmark', 'benchmarks']
/** Where Cython's own directives stand. */
const HEAD = 2 * KIB

/** How many bytes of the file at this path, below the top-level folder, are wanted: a longer one is cut. 0: none. */
export function wanted(path: string): number {
  const parts = path.split('/')
  const name = parts.at(-1)!
  if (isAside(parts)) return 0
  if (TEXTS_ANYWHERE.includes(name) || CARGO_CONFIG.test(path)) return LONGEST_TEXT
  // Not setup.py alone: backends take build scripts of any name, and in-tree backends are modules.
  if (parts.length === 1 && (TEXTS_AT_TOP.includes(name) || name.endsWith('.py'))) return LONGEST_TEXT
  // setuptools leaves a copy here; an archive of a repository may hold no other.
  if (name === 'PKG-INFO' && parts.at(-2)?.endsWith('.egg-info')) return LONGEST_TEXT
  return name.endsWith('.pyx') ? HEAD : 0
}

/** The ending under which a file counts among the sources; undefined: it does not. */
export function sourceEnding(path: string): string | undefined {
  const ending = isAside(path.split('/')) ? undefined : /\.[\w+]+$/.exec(path)?.[0].toLowerCase()
  return ending !== undefined && (COMPILED.includes(ending) || GENERATED.includes(ending)) ? ending : undefined
}

function isAside(parts: string[]): boolean {
  return parts.some((part, index) => index < parts.length - 1 && ASIDE.includes(part))
}

/** Whether the file is one that builds run, by its name. */
export function isScript(path: string): boolean {
  return SCRIPTS.includes(path.split('/').at(-1)!)
}

/** The sources that are compiled themselves. */
export function compiled(contents: Pick<SdistContents, 'sources'>): SourceCount[] {
  return contents.sources.filter(({ ending }) => COMPILED.includes(ending))
}

/**
 * The build files of this name as one text, without their comments: those of the project that begins at the shallowest of them. Those
 * of others, with a `project(…)` of their own, are left out, and so are the folders below them: tests, examples, what was brought along.
 */
export function buildText(contents: Pick<SdistContents, 'texts'>, name: 'meson.build' | 'CMakeLists.txt'): string {
  const files = [...contents.texts].filter(([path]) => path.split('/').at(-1) === name).map(([path, text]) => ({ folder: path.slice(0, -name.length), text: withoutComments(text) }))
  const depth = Math.min(...files.map(({ folder }) => folder.split('/').length))
  const root = files.find(({ folder }) => folder.split('/').length === depth)
  const others = new Set(files.filter((file) => file !== root && /\bproject\s*\(/i.test(file.text)).map(({ folder }) => folder))
  return files.filter(({ folder }) => !withAbove(folder).some((above) => others.has(above))).map(({ text }) => text).join('\n')
}

/** `a/b/`, `a/` and the empty text. */
function withAbove(folder: string): string[] {
  const parts = folder.split('/').slice(0, -1)
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`).concat('')
}

/** Python without its comments: what is switched off by one says nothing. */
export function withoutComments(text: string): string {
  return text.replace(/(^|\s)#[^\n]*/g, '$1')
}
