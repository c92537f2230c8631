import { describe, expect, test } from 'vitest'
import { planBuild, refusedFor, type BuildPlan } from '../../src/domain/plan.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { sdistOf, type Given } from './sdist-of.ts'

const plan = (given: Given, release?: Parameters<typeof planBuild>[1]) => planBuild(sdistOf(given), release)
const planned = (given: Given, release?: Parameters<typeof planBuild>[1]) => (plan(given, release) as { plan: BuildPlan }).plan
const LEGACY = 'setuptools.build_meta:__legacy__'
const system = (backend: string, requires: string[] = []) => `[build-system]\nrequires = ${JSON.stringify(requires)}\nbuild-backend = "${backend}"\n`

describe('the backend', () => {
  test.each<[string, Given, object]>([
    ['none named', { setupPy: '' }, { backend: LEGACY, requires: ['setuptools>=40.8.0'], backendPath: [] }],
    ['no table', { pyproject: '[tool.black]' }, { backend: LEGACY, requires: ['setuptools>=40.8.0'] }],
    ['only requires', { pyproject: '[build-system]\nrequires = ["cython"]' }, { backend: LEGACY, requires: ['cython', 'setuptools>=40.8.0'] }],
    ['only requires, setuptools among them', { pyproject: '[build-system]\nrequires = ["setuptools_scm", "Setuptools<60"]' }, { requires: ['setuptools_scm', 'Setuptools<60'] }],
    ['all', { pyproject: '[build-system]\nrequires = []\nbuild-backend = "a.b:c"\nbackend-path = ["x"]' }, { backend: 'a.b:c', backendPath: ['x'], requires: [] }],
  ])('%s', (_, contents, expected) => {
    expect(plan(contents)).toMatchObject({ plan: expected })
  })

  test.each<[string, Given, RegExp]>([
    ['nothing to build', {}, /neither/],
    ['no TOML', { pyproject: '[' }, /TOML/],
    ['TOML that nests without end', { pyproject: `a = ${'['.repeat(200_000)}` }, /TOML/],
    ['no table', { pyproject: 'build-system = 1' }, /not a table/],
    ['no requires', { pyproject: '[build-system]\nbuild-backend = "x"' }, /requires/],
    ['requires of numbers', { pyproject: '[build-system]\nrequires = [1]' }, /requires/],
    ['a backend that is code', { pyproject: '[build-system]\nrequires = []\nbuild-backend = "os; x"' }, /build-backend/],
    ['a path that climbs', { pyproject: '[build-system]\nrequires = []\nbuild-backend = "x"\nbackend-path = [".."]' }, /backend-path/],
    ['a folder that pip would read extras from', { folder: 'demo[x]', setupPy: '' }, /top-level folder/],
  ])('refused: %s', (_, contents, key) => {
    expect(plan(contents)).toEqual({ failure: { class: 'bad-sdist', key: expect.stringMatching(key) } })
  })
})

test('PKG-INFO is METADATA only where it is static, and of this release', () => {
  const text = (version: string, rest = '') => `Metadata-Version: ${version}\nName: demo\nVersion: 1.0\n${rest}`
  const metadata = (pkgInfo: string, release?: { project: string; version: string }) => planned({ setupPy: '', pkgInfo }, release).metadata
  expect(metadata(text('2.2'))).toBe(text('2.2'))
  expect(metadata(text('2.2'), { project: 'Demo', version: '1.0.0' })).toBe(text('2.2'))
  expect(metadata(text('2.2'), { project: 'demo', version: '1.1' })).toBeUndefined()
  expect(metadata(text('2.2'), { project: 'other', version: '1.0' })).toBeUndefined()
  expect(metadata(text('2.1'))).toBeUndefined()
  expect(metadata(text('2.4', 'Dynamic: Requires-Dist\n'))).toBeUndefined()
  expect(metadata('Metadata-Version: 2.2\n')).toBeUndefined()
  expect(planned({ setupPy: '', texts: { 'src/demo.egg-info/PKG-INFO': text('2.2') } }).metadata).toBeUndefined()
})

describe('refused for a target', () => {
  const cp313 = parseTarget('cp313-musllinux_1_2_x86_64')!
  const info = (python: string) => ({ setupPy: '', pkgInfo: `Metadata-Version: 1.2\nName: demo\nVersion: 1.0\nRequires-Python: ${python}\n` })
  test.each<[string, Given, object | undefined]>([
    ['a Python that fits', info('>=3.8,<3.14'), undefined],
    ['one that does not', info('>=2.7,<3.13'), { class: 'unsupported-python', key: '>=2.7,<3.13' }],
    ['one that nobody can read', info('any'), undefined],
    ['nothing said', { setupPy: '' }, undefined],
    ['an extension in Go', { setupPy: 'setup(build_golang={})', sources: ['.go'] }, { class: 'not-musl', key: expect.stringMatching(/Go/) }],
  ])('%s', (_, given, expected) => expect(refusedFor(planned(given), cp313)).toEqual(expected))
})

describe('a version that the build would ask its repository for', () => {
  const info = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.2\n'
  test.each<[string, Given, object]>([
    ['setuptools-scm', { pyproject: system('setuptools.build_meta', ['setuptools', 'setuptools_scm[toml]>=6']), pkgInfo: info }, { SETUPTOOLS_SCM_PRETEND_VERSION: '1.2' }],
    ['setuptools-scm by its table alone', { pyproject: `${system('setuptools.build_meta')}[tool.setuptools_scm]\n`, pkgInfo: info }, { SETUPTOOLS_SCM_PRETEND_VERSION: '1.2' }],
    ['setuptools-scm of old', { setupPy: 'setup(use_scm_version=True, setup_requires=["setuptools_scm"])', pkgInfo: info }, { SETUPTOOLS_SCM_PRETEND_VERSION: '1.2' }],
    ['hatch-vcs', { pyproject: system('hatchling.build', ['hatchling', 'hatch-vcs']), pkgInfo: info }, { SETUPTOOLS_SCM_PRETEND_VERSION: '1.2' }],
    ['flit-scm', { pyproject: system('flit_scm:buildapi', ['flit_scm']), pkgInfo: info }, { SETUPTOOLS_SCM_PRETEND_VERSION: '1.2' }],
    ['pbr', { pyproject: system('pbr.build', ['setuptools', 'pbr>=6']), pkgInfo: info }, { PBR_VERSION: '1.2' }],
    ['pbr of old', { setupPy: 'setuptools.setup(setup_requires=[\'pbr\'], pbr=True)', pkgInfo: info }, { PBR_VERSION: '1.2' }],
    ['pdm', { pyproject: `${system('pdm.backend', ['pdm-backend'])}[tool.pdm.version]\nsource = "scm"\n`, pkgInfo: info }, { PDM_BUILD_SCM_VERSION: '1.2' }],
    ['pdm that asks a file', { pyproject: `${system('pdm.backend', ['pdm-backend'])}[tool.pdm.version]\nsource = "file"\n`, pkgInfo: info }, {}],
    ['poetry-dynamic-versioning', { pyproject: system('poetry_dynamic_versioning.backend', ['poetry-core', 'poetry-dynamic-versioning']), pkgInfo: info }, { POETRY_DYNAMIC_VERSIONING_BYPASS: '1.2' }],
    ['versioneer, which has it in a file', { setupPy: 'import versioneer', pkgInfo: info }, {}],
    ['one that is only spoken of', { setupPy: '# not setuptools_scm: use_scm_version\nsetup()', pkgInfo: info }, {}],
    ['setuptools\' copy of PKG-INFO', { pyproject: system('x', ['setuptools_scm']), texts: { 'demo.egg-info/PKG-INFO': info } }, { SETUPTOOLS_SCM_PRETEND_VERSION: '1.2' }],
    ['the index, where the sdist is silent', { pyproject: system('x', ['setuptools_scm']) }, { SETUPTOOLS_SCM_PRETEND_VERSION: '3.0' }],
    ['a version that is none', { pyproject: system('x', ['setuptools_scm']), pkgInfo: 'Name: demo\nVersion: UNKNOWN\n' }, {}],
  ])('%s', (_, given, env) => expect(planned(given, { project: 'demo', version: '3.0' }).env).toEqual(env))
})

test('CMake 4 is told to go on with a project that is content with an old one', () => {
  const env = (text: string) => planned({ pyproject: system('scikit_build_core.build'), cmakeLists: text }).env
  expect(env('cmake_minimum_required(VERSION 3.4)')).toEqual({ CMAKE_POLICY_VERSION_MINIMUM: '3.5' })
  expect(env('cmake_minimum_required( VERSION 2.8.12...3.20 )')).toEqual({ CMAKE_POLICY_VERSION_MINIMUM: '3.5' })
  expect(env('cmake_minimum_required(VERSION 3.15)\n# cmake_minimum_required(VERSION 2.8)')).toEqual({})
  expect(planned({ pyproject: system('scikit_build_core.build'), texts: { 'vendor/CMakeLists.txt': 'cmake_minimum_required(VERSION 3.0)' } }).env).toEqual({ CMAKE_POLICY_VERSION_MINIMUM: '3.5' })
})

test('texts that are made to take long do not', () => {
  const units = ['\n', ' ', '(', '#', 'a', '"', 'project(', 'find_program(\'', 'cmake_minimum_required( ', 'ext_modules =  [', '"a/a/a/', '[[a]]\n', 'Name: a\n', 'import ']
  const began = performance.now()
  for (const unit of units) {
    const text = unit.repeat((1 << 18) / unit.length)
    for (const name of ['setup.py', 'meson.build', 'CMakeLists.txt', 'PKG-INFO', 'pyproject.toml']) {
      planBuild(sdistOf({ setupPy: '', texts: { [name]: text }, sources: ['.c', '.i'], scripts: ['configure.ac'] }))
    }
  }
  // 70 texts of a quarter of a megabyte: what is not linear takes minutes.
  expect(performance.now() - began).toBeLessThan(20_000)
})
