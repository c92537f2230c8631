import { describe, expect, test } from 'vitest'
import { readLock } from '../../../src/domain/lock/lock.ts'
import { environment, pins, refusal, releases } from './rig.ts'

const HEAD = '[metadata]\ngroups = ["default", "dev"]\nstrategy = ["inherit_metadata"]\nlock_version = "4.5.1"\ncontent_hash = "sha256:0"\n\n[[metadata.targets]]\nrequires_python = ">=3.11"\n'
const entry = (name: string, more: string) => `\n[[package]]\nname = "${name}"\nversion = "1.0"\n${more}`
const files = (digit: string, key = 'file', name = 'x.tar.gz') => `files = [\n    {${key} = "${name}", hash = "sha256:${digit.repeat(4)}"},\n]\n`

const TEXT = HEAD + [
  entry('Crc_mod', `groups = ["default"]\n${files('a')}`),
  entry('crc-mod', `extras = ["fast"]\ngroups = ["default"]\n${files('a')}`),
  entry('colorama', `groups = ["default"]\nmarker = "sys_platform == \\"win32\\""\n${files('b')}`),
  entry('old', `requires_python = "<3.12"\ngroups = ["default"]\n${files('c')}`),
  entry('pytest', `groups = ["dev"]\n${files('d')}`),
  entry('demo', 'path = "./demo"\ngroups = ["default"]\n'),
  entry('patched', 'git = "https://upstream.example/patched.git"\nrevision = "abc"\ngroups = ["default"]\n'),
  entry('bundle', 'url = "https://upstream.example/bundle.tar.gz"\ngroups = ["default"]\n'),
].join('')

test('pins what pdm would install, of all groups where none is named', () => {
  expect(releases('pdm.lock', TEXT)).toEqual(['crc-mod==1.0', 'pytest==1.0', 'patched==1.0', 'bundle==1.0'])
  expect(releases('pdm.lock', TEXT, { target: 'cp311-musllinux_1_2_x86_64' })).toContain('old==1.0')
  expect(releases('pdm.lock', TEXT, { groups: [] })).not.toContain('pytest==1.0')
  expect(releases('pdm.lock', TEXT, { groups: ['Dev'] })).toContain('pytest==1.0')
})

test('with hashes, lines and where else things come from', () => {
  const [crcmod, , patched, bundle] = pins('pdm.lock', TEXT)
  expect(crcmod).toEqual({ project: 'crc-mod', version: '1.0', line: 10, hashes: ['sha256:aaaa'], filenames: undefined, only: undefined, elsewhere: undefined })
  expect([patched?.elsewhere, bundle?.elsewhere]).toEqual(['a repository', 'a URL of its own'])
})

test('with static URLs the index is never asked, so other files do not count', () => {
  expect(pins('pdm.lock', HEAD + entry('a', files('a', 'url', 'https://upstream.example/a-1.0.tar.gz')))[0]?.filenames).toEqual(['a-1.0.tar.gz'])
})

test('without groups and markers everything is planned', () => {
  expect(releases('pdm.lock', HEAD + entry('a', files('a')), { groups: ['dev'] })).toEqual(['a==1.0'])
})

describe('the Python it is for', () => {
  const refused = (targets: string) => readLock('pdm.lock', `[metadata]\nlock_version = "4.5"\n${targets}`).refusal(environment())
  const target = (python: string) => `[[metadata.targets]]\nrequires_python = "${python}"\n`
  test.each([
    ['', undefined], [target('>=3.11'), undefined], [target('<3.12') + target('>=3.12'), undefined],
    [target('<3.12'), 'it is for Python <3.12, not for 3.13'],
  ])('%j', (targets, said) => expect(refused(targets)).toBe(said))
})

test('every package that cannot be read is told, with its line', () => {
  expect(refusal('pdm.lock', `${HEAD}${entry('a b', '')}${entry('a', 'marker = "what"\n')}\n[[package]]\nname = "b"\n`))
    .toBe('pdm.lock: line 10: a package without a name; line 14: a has a marker that cannot be read; line 19: b has no version that can be read')
})
