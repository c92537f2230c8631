/** What must be installed beside compilers of C and C++, by Alpine's names, as far as an sdist shows before its first build. */
import type { Language } from './languages.ts'
import { requiresProject, type BuildSystem } from './plan-backend.ts'
import { buildText, withoutComments, type SdistContents } from './plan-contents.ts'

/** What compiles a language, where build-base does not. */
const COMPILERS: Partial<Record<Language, string[]>> = { rust: ['cargo'], fortran: ['gfortran'], go: ['go'] }

/** Programs that builds start, and the apks that hold them. Those that build-base brings are not here. */
const PROGRAMS: Record<string, string[]> = {
  swig: ['swig'], bison: ['bison'], yacc: ['bison'], flex: ['flex'], lex: ['flex'], nasm: ['nasm'], yasm: ['yasm'], perl: ['perl'], bash: ['bash'], m4: ['m4'],
  gperf: ['gperf'], ragel: ['ragel'], re2c: ['re2c'], cmake: ['cmake'], ninja: ['samurai'],
  autoconf: ['autoconf'], autoreconf: ['autoconf', 'automake', 'libtool'], automake: ['automake'], aclocal: ['automake'],
  libtoolize: ['libtool'], xxd: ['xxd'], protoc: ['protoc'],
}
/** All that `toolchain` may name. */
export const TOOLCHAIN_APKS: string[] = [...new Set([COMPILERS, PROGRAMS].flatMap((names) => Object.values(names).flat()))].sort()

/** CMake's own names for them in `find_package`. */
const CMAKE_PACKAGES: Record<string, string> = { bison: 'bison', flex: 'flex', swig: 'swig', perl: 'perl' }

/**
 * Alpine's names of what the build of these contents starts, sorted. Not what a wheel of PyPI brings: meson-python and scikit-build-core
 * ask for `ninja` and `cmake` as requirements.
 */
export function toolchain(contents: SdistContents, system: BuildSystem, languages: Language[]): string[] {
  const programs = [...pythonPrograms(contents, system), ...mesonPrograms(contents), ...cmakePrograms(contents), ...autotools(contents)]
    .filter((program) => !requiresProject(system.requires, program))
  const apks = [...languages.flatMap((language) => COMPILERS[language] ?? []), ...programs.flatMap((program) => PROGRAMS[program] ?? [])]
  return [...new Set(apks)].sort()
}

/** Programs that setup.py starts: named as a text of their own, as in `subprocess.run(['bison', …])`, or at the beginning of a command. */
function pythonPrograms({ texts, sources }: SdistContents, { backendPath }: BuildSystem): string[] {
  const setup = withoutComments([...texts].filter(([path]) => /^(?:setup|build|pdm_build|hatch_build)\w*\.py$/.test(path)).map(([, text]) => text).join('\n'))
  const named = Object.keys(PROGRAMS).filter((program) => new RegExp(`["']${program}["' ]`).test(setup) && /\b(?:subprocess|os\.system|spawn|popen|check_call)\b/i.test(setup))
  // distutils runs swig by itself for such a source.
  if (sources.some(({ ending }) => ending === '.i') && /["'][\w./-]+\.i["']|\bswig_opts\b/.test(setup)) named.push('swig')
  // scikit-build before scikit-build-core leaves it to the project to ask for both; a backend in the tree is there to do so.
  if (backendPath.length === 0 && /^[ \t]*(?:from|import)[ \t]+skbuild\b/m.test(setup)) named.push('cmake', 'ninja')
  return named
}

/** `find_program('bison')`, unless it may be absent. */
function mesonPrograms(contents: SdistContents): string[] {
  const calls = buildText(contents, 'meson.build').matchAll(/\bfind_program\s*\(([^)]*)/g)
  return [...calls].flatMap(([, given = '']) => /\brequired\s*:/.test(given) ? [] : [...given.matchAll(/'([\w.+-]*)'/g)].slice(0, 1).map(([, name = '']) => name))
}

function cmakePrograms(contents: SdistContents): string[] {
  const text = buildText(contents, 'CMakeLists.txt')
  const found = [...text.matchAll(/\bfind_package\s*\(\s*(\w+)([^)]*)/gi)].filter(([, , rest = '']) => /\bREQUIRED\b/.test(rest))
    .flatMap(([, name = '']) => CMAKE_PACKAGES[name.toLowerCase()] ?? [])
  return /\bASM_NASM\b/.test(text) ? [...found, 'nasm'] : found
}

/** A repository's archive, which lacks the `configure` that its maintainers ship otherwise; only where the build wants one. */
function autotools({ scripts, texts }: SdistContents): string[] {
  const runs = withoutComments(texts.get('setup.py') ?? '')
  if (!/\bconfigure\b|\bautogen\.sh\b|\bbootstrap\b/.test(runs)) return []
  const folders = scripts.filter((path) => /(?:^|\/)configure\.(?:ac|in)$/.test(path)).map((path) => path.replace(/configure\.\w+$/, ''))
  return folders.some((folder) => !scripts.includes(`${folder}configure`)) ? ['autoreconf'] : []
}
