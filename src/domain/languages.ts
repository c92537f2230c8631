/** Which languages a project is written in, as far as its sdist shows without being run. */

/** What a build may need a compiler for, by the name that people know it by. */
export const LANGUAGES = { 'c': 'C', 'c++': 'C++', 'rust': 'Rust', 'fortran': 'Fortran', 'go': 'Go' } as const

export type Language = keyof typeof LANGUAGES

/** Texts of files at the sdist's top, and the endings of all that are compiled. */
type Seen = Record<'pyproject' | 'setupPy' | 'setupCfg' | 'mesonBuild' | 'cmakeLists', string | undefined> & { sources: string[] }

const CPLUSPLUS_ENDINGS = ['.cc', '.cpp', '.cxx']
/** Cython and setuptools name it in words where no source of it is shipped. */
const CPLUSPLUS_WORDS = /\blanguage["']?\s*[=:]\s*["']?c\+\+/i
const RUST_BACKENDS = /^(maturin|setuptools_rust)\b/
const GO_WORDS = /\bsetuptools[-_]golang\b|\bbuild_golang\b/

/**
 * The languages that a build needs compilers for. Rust, Fortran and Go only where the build itself asks for them: many projects ship
 * sources of them as tests, examples or a port. C is always among them, since every compiler of the others needs it to link.
 */
export function languagesOf(contents: Seen, system: { backend: string; requires: string[] }): Language[] {
  const { sources, mesonBuild = '', cmakeLists } = contents
  const setup = [contents.setupPy, contents.setupCfg, contents.pyproject].join('\n')
  const requires = system.requires.join('\n')
  const declared = [...mesonLanguages(mesonBuild), ...cmakeLanguages(cmakeLists)]
  const needs: Record<Language, boolean> = {
    'c': true,
    'c++': sources.some((ending) => CPLUSPLUS_ENDINGS.includes(ending)) || CPLUSPLUS_WORDS.test(setup) || declared.includes('cpp') || declared.includes('cxx'),
    'rust': RUST_BACKENDS.test(system.backend) || /^(setuptools[-_.]rust|maturin)\b/im.test(requires) || declared.includes('rust'),
    'fortran': declared.includes('fortran'),
    'go': GO_WORDS.test(`${requires}\n${setup}`),
  }
  return (Object.keys(LANGUAGES) as Language[]).filter((language) => needs[language])
}

/** `project('name', 'c', 'cpp', …)` and `add_languages('fortran', …)`, in lower case. Keyword arguments end the list. */
function mesonLanguages(text: string): string[] {
  const calls = [...uncommented(text).matchAll(/\b(project|add_languages)\s*\(([^)]*)/g)]
  return calls.flatMap(([, name, given = '']) => {
    const positional = given.split(/\b\w+\s*:/)[0] ?? ''
    const texts = [...positional.matchAll(/'([^']*)'/g)].map(([, text = '']) => text.toLowerCase())
    return name === 'project' ? texts.slice(1) : texts
  })
}

/** `project(name LANGUAGES C CXX)`, `project(name C)` and `enable_language(Fortran)`, in lower case. CMake takes C and C++ where a project names none. */
function cmakeLanguages(text: string | undefined): string[] {
  if (text === undefined) return []
  return [...uncommented(text).matchAll(/\b(project|enable_language)\s*\(([^)]*)/gi)].flatMap(([, name = '', given = '']) => {
    const words = given.toLowerCase().split(/\s+/).filter((word) => word !== '')
    const known = words.slice(name.toLowerCase() === 'project' ? 1 : 0).filter((word) => ['c', 'cxx', 'fortran', 'cuda', 'none'].includes(word))
    return known.length > 0 || words.includes('languages') ? known : ['c', 'cxx']
  })
}

function uncommented(text: string): string {
  return text.replace(/#.*$/gm, '')
}
