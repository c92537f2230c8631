/** Whether a wheel with compiled parts is to be expected of an sdist, as far as it says so itself. */
import { tableAt, type BuildSystem } from './plan-backend.ts'
import { buildText, compiled, withoutComments, type SdistContents } from './plan-contents.ts'

export type ExpectedKind = 'native' | 'pure' | 'unknown'

/** Backends that exist only to compile. */
const NATIVE_BACKENDS = /^(maturin|scikit_build_core|setuptools_rust|cmake_build_extension|sipbuild|py_build_cmake|pymsbuild)\b/
/** Backends that have no way to compile anything. */
const PURE_BACKENDS = /^(flit_core|flit|flit_scm|uv_build|whey|dunamai)\b/
/** What compiles within setuptools, in setup.py, setup.cfg or pyproject.toml. */
const EXTENSION_WORDS = /\bext[_-]modules\b|Extension\s*\(|\bcffi_modules\b|\bcythonize\s*\(|\brust_extensions\b|\bbuild_golang\b|\bmilksnake_tasks\b|\badd_extension\s*\(|\bhas_ext_modules\b|^[ \t]*(?:from|import)[ \t]+skbuild\b/m
/** What needs no file of a compiled language: its C comes out of Python. */
const GENERATING_WORDS = /\bcffi_modules\s*=\s*\[\s*["'\w]/
/** An empty list of extensions is none. */
const NO_EXTENSIONS = /\bext_modules\s*=\s*(?:\[\s*\]|None)/g
/** Hooks of hatchling that compile, by their names. */
const HATCH_COMPILES = /cython|cmake|mypyc|meson|nanobind|cffi|rust|gradle|zig|scikit|cpp|autocompile/
/** A hook's or a script's way to say that a wheel is for one platform. */
const PLATFORM_WORDS = /\bpure_python\b["'\]\s]*=\s*False|\binfer_tag\b/

/**
 * Native only where the project says so and brings sources for it: many pure projects ship a stray C file, and taking
 * one for native would refuse its right, pure wheel. Pure only where nothing could compile.
 */
export function expectedKind(contents: SdistContents, { backend }: BuildSystem, pyproject: Record<string, unknown>): ExpectedKind {
  const sources = compiled(contents).length > 0
  const scikit = tableAt(pyproject, 'tool', 'scikit-build', 'wheel')
  if (backend.startsWith('scikit_build_core') && [scikit['cmake'], scikit['platlib']].includes(false)) return 'pure'
  if (NATIVE_BACKENDS.test(backend)) return sources ? 'native' : 'unknown'
  if (PURE_BACKENDS.test(backend)) return 'pure'
  if (backend.startsWith('mesonpy')) return mesonKind(contents, sources)
  if (backend.startsWith('hatchling')) return hatchKind(contents, pyproject, sources)
  if (/^poetry\b|^poetry_/.test(backend)) return poetryKind(contents, pyproject, sources)
  if (/^pdm\b/.test(backend)) return pdmKind(contents, pyproject, sources)
  return setuptoolsKind(contents, sources)
}

function setuptoolsKind({ texts }: SdistContents, sources: boolean): ExpectedKind {
  const setup = withoutComments(['setup.py', 'setup.cfg', 'pyproject.toml'].map((name) => texts.get(name) ?? '').join('\n')).replace(NO_EXTENSIONS, '')
  // Python that may be compiled: only where the environment says so, as a rule.
  if (/\bmypycify\s*\(/.test(setup)) return 'unknown'
  if (!sources) return GENERATING_WORDS.test(setup) ? 'native' : /\bcythonize\s*\(/.test(setup) ? 'unknown' : 'pure'
  return EXTENSION_WORDS.test(setup) ? 'native' : 'unknown'
}

/** meson-python makes a wheel for a platform as soon as one built file is installed into it. */
function mesonKind(contents: SdistContents, sources: boolean): ExpectedKind {
  const text = buildText(contents, 'meson.build')
  if (/\bextension_module\s*\(/.test(text)) return sources ? 'native' : 'unknown'
  return sources || /\b(?:shared_library|shared_module|library|executable)\s*\(/.test(text) ? 'unknown' : 'pure'
}

function hatchKind({ texts }: SdistContents, pyproject: Record<string, unknown>, sources: boolean): ExpectedKind {
  const hooks = ['build', 'build.targets.wheel'].flatMap((path) => Object.entries(tableAt(pyproject, 'tool', 'hatch', ...path.split('.'), 'hooks')))
  const active = hooks.filter(([, settings]) => (settings as Record<string, unknown> | null)?.['enable-by-default'] !== false)
  if (active.some(([name]) => HATCH_COMPILES.test(name))) return sources ? 'native' : 'unknown'
  const script = active.find(([name]) => name === 'custom')
  if (script === undefined) return active.length > 0 && sources ? 'unknown' : 'pure'
  const { path } = (script[1] ?? {}) as Record<string, unknown>
  const text = withoutComments(texts.get(typeof path === 'string' ? path : 'hatch_build.py') ?? '')
  // It may as well bundle a program that was made elsewhere, or write a version file.
  return sources ? PLATFORM_WORDS.test(text) ? 'native' : 'unknown' : PLATFORM_WORDS.test(text) ? 'unknown' : 'pure'
}

function poetryKind({ texts }: SdistContents, pyproject: Record<string, unknown>, sources: boolean): ExpectedKind {
  const { build } = tableAt(pyproject, 'tool', 'poetry')
  const script = typeof build === 'string' ? build : tableAt(pyproject, 'tool', 'poetry', 'build')['script']
  if (typeof script !== 'string') return 'pure'
  const text = withoutComments(texts.get(script) ?? '').replace(NO_EXTENSIONS, '')
  return sources && EXTENSION_WORDS.test(text) ? 'native' : 'unknown'
}

function pdmKind(contents: SdistContents, pyproject: Record<string, unknown>, sources: boolean): ExpectedKind {
  const build = tableAt(pyproject, 'tool', 'pdm', 'build')
  const script = build['setup-script'] ?? tableAt(pyproject, 'tool', 'pdm')['build']
  const hook = typeof build['custom-hook'] === 'string' ? build['custom-hook'] : 'pdm_build.py'
  if (script === undefined && build['run-setuptools'] !== true && !contents.texts.has(hook)) return 'pure'
  const text = withoutComments([typeof script === 'string' ? script : 'setup.py', hook].map((name) => contents.texts.get(name) ?? '').join('\n'))
  return sources && (EXTENSION_WORDS.test(text.replace(NO_EXTENSIONS, '')) || PLATFORM_WORDS.test(text)) ? 'native' : 'unknown'
}
