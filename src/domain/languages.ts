/** Which languages a project is written in, as far as its sdist shows without being run. */
import { requiresProject, type BuildSystem } from './plan-backend.ts'
import { buildText, compiled, withoutComments, type SdistContents } from './plan-contents.ts'

/** What a build may need a compiler for, by the name that people know it by. */
export const LANGUAGES = { 'c': 'C', 'c++': 'C++', 'cython': 'Cython', 'rust': 'Rust', 'fortran': 'Fortran', 'go': 'Go' } as const

export type Language = keyof typeof LANGUAGES

const CPLUSPLUS_ENDINGS = ['.cc', '.cpp', '.cxx', '.c++']
/** Cython and setuptools name it in words where no source of it is shipped. */
const CPLUSPLUS_WORDS = /\blanguage["']?\s*[=:]\s*["']?c\+\+/i
const RUST_BACKENDS = /^(maturin|setuptools_rust)\b/
/** `numpy.distutils` compiles it without being told so. */
const FORTRAN_WORDS = /\bnumpy\.distutils\b|\bf2py\b/
const FORTRAN_ENDINGS = ['.f', '.for', '.f90', '.f95']
/** Less is a test of f2py. */
const LEAST_FORTRAN = 20_000
const GO_WORDS = /\bsetuptools[-_]golang\b|\bbuild_golang\b|-buildmode[= "',]+c-shared\b/

/**
 * The languages that a build needs compilers for. Rust, Fortran and Go only where the build itself asks for them: many projects ship
 * sources of them as tests, examples or a port. C is always among them, since every compiler of the others needs it to link.
 */
export function languagesOf(contents: SdistContents, { backend, requires }: Pick<BuildSystem, 'backend' | 'requires'>): Language[] {
  const endings = compiled(contents).map(({ ending }) => ending)
  const has = (some: string[]) => endings.some((ending) => some.includes(ending))
  const fortran = contents.sources.reduce((sum, { ending, bytes }) => FORTRAN_ENDINGS.includes(ending) ? sum + bytes : sum, 0)
  const setup = withoutComments(['setup.py', 'setup.cfg', 'pyproject.toml'].map((name) => contents.texts.get(name) ?? '').join('\n'))
  const heads = [...contents.texts].filter(([path]) => path.endsWith('.pyx')).map(([, text]) => text).join('\n')
  const declared = [...mesonLanguages(buildText(contents, 'meson.build')), ...cmakeLanguages(buildText(contents, 'CMakeLists.txt'))]
  const needs: Record<Language, boolean> = {
    'c': true,
    'c++': has(CPLUSPLUS_ENDINGS) || CPLUSPLUS_WORDS.test(setup) || CPLUSPLUS_WORDS.test(heads) || declared.includes('cpp') || declared.includes('cxx'),
    'cython': has(['.pyx']) || declared.includes('cython'),
    'rust': RUST_BACKENDS.test(backend) || requiresProject(requires, 'setuptools-rust') || requiresProject(requires, 'maturin') || declared.includes('rust'),
    'fortran': declared.includes('fortran') || (fortran >= LEAST_FORTRAN && FORTRAN_WORDS.test(setup)),
    'go': GO_WORDS.test(`${requires.join('\n')}\n${setup}`),
  }
  return (Object.keys(LANGUAGES) as Language[]).filter((language) => needs[language])
}

/** `project('name', 'c', 'cpp', …)` and `add_languages('fortran', …)`, in lower case. Keyword arguments end the list. */
function mesonLanguages(text: string): string[] {
  const calls = [...text.matchAll(/\b(project|add_languages)\s*\(([^)]*)/g)]
  return calls.flatMap(([, name, given = '']) => {
    const positional = given.split(/\b\w+\s*:/)[0] ?? ''
    const texts = [...positional.matchAll(/'([^']*)'/g)].map(([, text = '']) => text.toLowerCase())
    return name === 'project' ? texts.slice(1) : texts
  })
}

/** `project(name LANGUAGES C CXX)`, `project(name C)` and `enable_language(Fortran)`, in lower case. CMake takes C and C++ where a project names none. */
function cmakeLanguages(text: string): string[] {
  return [...text.matchAll(/\b(project|enable_language)\s*\(([^)]*)/gi)].flatMap(([, name = '', given = '']) => {
    const words = given.toLowerCase().split(/\s+/).filter((word) => word !== '')
    const known = words.slice(name.toLowerCase() === 'project' ? 1 : 0).filter((word) => ['c', 'cxx', 'fortran', 'cuda', 'asm', 'asm_nasm', 'none'].includes(word))
    return known.length > 0 || words.includes('languages') ? known : ['c', 'cxx']
  })
}
