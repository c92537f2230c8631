import { expect, test } from 'vitest'
import { parseCargoLock } from '../../src/domain/cargo-lock.ts'
import { PUBLIC_SOURCE } from '../fixtures/registry.ts'

const SUM = 'a'.repeat(64)
const entry = (more: string, name = 'serde', version = '1.0.200') => `[[package]]\nname = "${name}"\nversion = "${version}"\n${more}\n`
const registry = `source = "${PUBLIC_SOURCE}"`

test.each<[string, string]>([
  ['1', `${entry(registry)}\n[metadata]\n"checksum serde 1.0.200 (${PUBLIC_SOURCE})" = "${SUM}"\n`],
  ['2', `${entry(`${registry}\nchecksum = "${SUM}"`)}`],
  ['3', `version = 3\n${entry(`${registry}\nchecksum = "${SUM}"`)}`],
  ['4', `version = 4\n${entry(`${registry}\nchecksum = "${SUM}"`)}`],
])('format %s; what the project itself is made of is left out', (_, text) => {
  expect(parseCargoLock(`${text.replace('[[package]]', `${entry('', 'mine', '0.1.0')}[[package]]`)}`)).toEqual({ crates: [{ name: 'serde', version: '1.0.200', checksum: SUM }] })
})

test('versions with everything that semver has', () => {
  expect(parseCargoLock(entry(`${registry}\nchecksum = "${SUM}"`, 'wasi', '0.9.0-rc.1+wasi-snapshot'))).toMatchObject({ crates: [{ version: '0.9.0-rc.1+wasi-snapshot' }] })
})

test.each<[string, string, object]>([
  ['a crate of a git repository', entry('source = "git+https://git.example/serde?rev=1#0123"'), { problem: 'its crate serde 1.0.200 comes from a git repository', crate: 'serde 1.0.200' }],
  ['a crate of another registry', entry(`source = "registry+https://crates.example/index"\nchecksum = "${SUM}"`), { problem: expect.stringMatching(/registry of its own/), crate: 'serde 1.0.200' }],
  ['a crate without a checksum', entry(registry), { problem: expect.stringMatching(/no checksum/), crate: 'serde 1.0.200' }],
  ['a checksum that is none', entry(`${registry}\nchecksum = "abc"`), { problem: expect.stringMatching(/no checksum/), crate: 'serde 1.0.200' }],
  ['a source that is no text', entry('source = 1'), { problem: expect.stringMatching(/where the crate/), crate: 'serde 1.0.200' }],
  ['a name that climbs', entry(registry, '../x'), { problem: expect.stringMatching(/proper name/) }],
  ['a version that climbs', entry(registry, 'x', '1.0.0/../..'), { problem: expect.stringMatching(/proper name or version/) }],
  ['no list', 'package = 3', { problem: expect.stringMatching(/no readable list/) }],
  ['a list of numbers', 'package = [3]', { problem: expect.stringMatching(/proper name/) }],
  ['another format', 'version = 5', { problem: expect.stringMatching(/another format than 1 to 4/) }],
  ['no TOML', '[[package]', { problem: expect.stringMatching(/not valid TOML/) }],
])('%s', (_, text, expected) => expect(parseCargoLock(text)).toEqual(expected))

test('nothing but the project: no crates', () => {
  expect(parseCargoLock('version = 4\n')).toEqual({ crates: [] })
})
