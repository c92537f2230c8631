import { describe, expect, test } from 'vitest'
import { planBuild } from '../../src/domain/plan.ts'
import { makeCrate, makeLock } from '../fixtures/registry.ts'
import { sdistOf, type Given } from './sdist-of.ts'

const crates = ['one', 'two'].map((name) => makeCrate({ name }))
const lockOf = (...names: string[]) => makeLock({ name: 'demo', requires: names }, crates.filter(({ name }) => names.includes(name)))
const maturin = (rest = '') => `[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"\n${rest}`
const rust = (given: Given) => {
  const planned = planBuild(sdistOf({ sources: ['.rs'], ...given }))
  return 'plan' in planned ? planned.plan.cargoLock?.map(({ name }) => name) : planned.failure
}

describe('the crates of', () => {
  test.each<[string, Given, string[] | undefined]>([
    ['a manifest at the top', { pyproject: maturin(), texts: { 'Cargo.toml': '', 'Cargo.lock': lockOf('one', 'two'), 'examples/Cargo.toml': '' } }, ['one', 'two']],
    ['a manifest that maturin names', { pyproject: maturin('[tool.maturin]\nmanifest-path = "rust/py/Cargo.toml"'), texts: { 'Cargo.toml': '', 'rust/py/Cargo.toml': '', 'rust/Cargo.lock': lockOf('one') } }, ['one']],
    ['a workspace', { pyproject: maturin('[tool.maturin]\nmanifest-path = "crates/py/Cargo.toml"'), texts: { 'Cargo.toml': '[workspace]', 'crates/py/Cargo.toml': '', 'Cargo.lock': lockOf('two') } }, ['two']],
    ['setuptools-rust by pyproject.toml', { pyproject: '[build-system]\nrequires = ["setuptools", "setuptools-rust"]\n[[tool.setuptools-rust.ext-modules]]\ntarget = "a"\npath = "a/Cargo.toml"\n[[tool.setuptools-rust.bins]]\npath = "b/Cargo.toml"', texts: { 'a/Cargo.toml': '', 'a/Cargo.lock': lockOf('one'), 'b/Cargo.toml': '', 'b/Cargo.lock': lockOf('one', 'two') } }, ['one', 'two']],
    ['setuptools-rust by setup.py', { pyproject: '[build-system]\nrequires = ["setuptools-rust"]', setupPy: 'RustExtension("a", "src/rust/Cargo.toml")', texts: { 'src/rust/Cargo.toml': '', 'src/rust/Cargo.lock': lockOf('one') } }, ['one']],
    ['the only manifest', { pyproject: maturin(), texts: { 'deep/rust/Cargo.toml': '', 'deep/rust/Cargo.lock': lockOf('two') } }, ['two']],
    ['a project that brings them along', { pyproject: maturin(), texts: { 'Cargo.toml': '', '.cargo/config.toml': '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "vendor"' } }, []],
    ['a project without any', { pyproject: maturin(), texts: { 'Cargo.toml': '', 'Cargo.lock': lockOf() } }, []],
    ['no Rust', { setupPy: '', sources: ['.rs'], texts: { 'Cargo.toml': '' } }, undefined],
  ])('%s', (_, given, expected) => expect(rust(given)).toEqual(expected))
})

describe('refused', () => {
  test('without a lock', () => {
    expect(rust({ pyproject: maturin(), texts: { 'Cargo.toml': '', 'other/Cargo.lock': lockOf('one') } })).toEqual({ class: 'bad-sdist', key: 'it brings no Cargo.lock for Cargo.toml, and cargo cannot choose crates without a network' })
  })

  test('with a crate of a git repository', () => {
    const lock = '[[package]]\nname = "mine"\nversion = "0.1.0"\nsource = "git+https://git.example/mine#abc"\n'
    expect(rust({ pyproject: maturin(), texts: { 'Cargo.toml': '', 'Cargo.lock': lock } })).toEqual({ class: 'needs-network', key: 'its crate mine 0.1.0 comes from a git repository' })
  })

  test('with neither, unless the build has a network, where cargo asks for them itself', () => {
    const git = '[[package]]\nname = "mine"\nversion = "0.1.0"\nsource = "git+https://git.example/mine#abc"\n'
    for (const texts of [{ 'Cargo.toml': '', 'Cargo.lock': git }, { 'Cargo.toml': '' }]) {
      const contents = sdistOf({ sources: ['.rs'], pyproject: maturin(), texts })
      expect(planBuild(contents, undefined, { network: true })).toMatchObject({ plan: { cargoLock: undefined, languages: expect.arrayContaining(['rust']) as string[], toolchain: expect.arrayContaining(['cargo']) as string[] } })
      expect(planBuild(contents, undefined, { network: false })).toHaveProperty('failure')
    }
    const locked = sdistOf({ sources: ['.rs'], pyproject: maturin(), texts: { 'Cargo.toml': '', 'Cargo.lock': lockOf('one') } })
    expect(planBuild(locked, undefined, { network: true })).toMatchObject({ plan: { cargoLock: [{ name: 'one' }] } })
  })

  test('with a lock that cannot be read', () => {
    expect(rust({ pyproject: maturin(), texts: { 'Cargo.toml': '', 'Cargo.lock': '[' } })).toEqual({ class: 'bad-sdist', key: 'its Cargo.lock is not valid TOML' })
  })
})
