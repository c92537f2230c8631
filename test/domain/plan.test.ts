import { describe, expect, test } from 'vitest'
import { planBuild } from '../../src/domain/plan.ts'
import { sdistOf, type Given } from './sdist-of.ts'

const plan = (given: Given) => planBuild(sdistOf(given))
const LEGACY = 'setuptools.build_meta:__legacy__'

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
    ['no requires', { pyproject: '[build-system]\nbuild-backend = "x"' }, /requires/],
    ['requires of numbers', { pyproject: '[build-system]\nrequires = [1]' }, /requires/],
    ['a backend that is code', { pyproject: '[build-system]\nrequires = []\nbuild-backend = "os; x"' }, /build-backend/],
    ['a path that climbs', { pyproject: '[build-system]\nrequires = []\nbuild-backend = "x"\nbackend-path = [".."]' }, /backend-path/],
    ['a folder that pip would read extras from', { folder: 'demo[x]', setupPy: '' }, /top-level folder/],
  ])('refused: %s', (_, contents, key) => {
    expect(plan(contents)).toEqual({ failure: { class: 'bad-sdist', key: expect.stringMatching(key) } })
  })
})

describe('the expected kind', () => {
  const backend = (name: string) => `[build-system]\nrequires = []\nbuild-backend = "${name}"`
  test.each<[string, Given, string]>([
    ['no sources', { setupPy: 'setup(ext_modules=[])' }, 'pure'],
    ['a stray source', { setupPy: 'setup()', sources: ['.c'] }, 'unknown'],
    ['an extension in setup.py', { setupPy: 'Extension ("a", ["a.c"])', sources: ['.c'] }, 'native'],
    ['an extension in pyproject.toml', { pyproject: `${backend('setuptools.build_meta')}\n[tool.setuptools]\next-modules = []`, sources: ['.c'] }, 'native'],
    ['a backend that compiles', { pyproject: backend('scikit_build_core.build'), sources: ['.cpp'] }, 'native'],
    ['maturin', { pyproject: backend('maturin'), sources: ['.rs'] }, 'native'],
    ['meson', { pyproject: backend('mesonpy'), sources: ['.c'] }, 'unknown'],
  ])('%s: %o', (_, contents, expected) => {
    expect(plan(contents)).toMatchObject({ plan: { expected } })
  })
})

test('PKG-INFO is METADATA only where it is static', () => {
  const text = (version: string, rest = '') => `Metadata-Version: ${version}\nName: demo\nVersion: 1.0\n${rest}`
  const metadata = (pkgInfo: string) => (plan({ setupPy: '', pkgInfo }) as { plan: { metadata: string | undefined } }).plan.metadata
  expect(metadata(text('2.2'))).toBe(text('2.2'))
  expect(metadata(text('2.1'))).toBeUndefined()
  expect(metadata(text('2.4', 'Dynamic: Requires-Dist\n'))).toBeUndefined()
  expect(metadata('Metadata-Version: 2.2\n')).toBeUndefined()
})
