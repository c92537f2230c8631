import { describe, expect, test } from 'vitest'
import { readLock } from '../../../src/domain/lock/lock.ts'
import { environment, pins, refusal, releases } from './rig.ts'

const lock = (parts: Record<string, unknown>, requires = {}) => JSON.stringify({ _meta: { 'hash': { sha256: 'x' }, 'pipfile-spec': 6, requires, 'sources': [] }, ...parts }, null, 4)

const TEXT = lock({
  default: {
    'Crcmod': { hashes: ['sha256:AB'], index: 'corp', version: '==1.7' },
    'colorama': { hashes: ['sha256:cd'], markers: 'sys_platform == \'win32\'', version: '==0.4.6' },
    'demo': { editable: true, path: '.' },
    'patched': { git: 'https://upstream.example/patched.git', ref: 'abc' },
    'bundle': { file: 'https://upstream.example/bundle-1.0.tar.gz' },
  },
  develop: { crcmod: { hashes: ['sha256:ef'], version: '==1.7' }, wheel: { hashes: ['sha256:01'], version: '==0.45.1' } },
  docs: { sphinx: { hashes: ['sha256:02'], version: '==8.0' } },
})

test('pins what pipenv sync installs', () => {
  expect(pins('Pipfile.lock', TEXT)).toEqual([
    { project: 'crcmod', version: '1.7', line: 11, hashes: ['sha256:ab'], filenames: undefined, only: undefined, elsewhere: undefined },
    { project: 'patched', version: '', line: expect.any(Number), hashes: [], filenames: undefined, only: undefined, elsewhere: 'a repository' },
    { project: 'bundle', version: '', line: expect.any(Number), hashes: [], filenames: undefined, only: undefined, elsewhere: 'a URL of its own' },
  ])
})

test('categories are groups', () => {
  expect(releases('Pipfile.lock', TEXT, { groups: ['dev'] })).toEqual(['crcmod==1.7', 'patched==', 'bundle==', 'wheel==0.45.1'])
  expect(releases('Pipfile.lock', TEXT, { groups: ['develop', 'docs'] })).toContain('sphinx==8.0')
  expect(pins('Pipfile.lock', TEXT, { groups: ['dev'] })[0]?.hashes, 'of all mentions').toEqual(['sha256:ab', 'sha256:ef'])
})

describe('the Python it is for', () => {
  const refused = (requires: object) => readLock('Pipfile.lock', lock({ default: {} }, requires)).refusal(environment())
  test.each([
    [{}, undefined],
    [{ python_version: '3.13' }, undefined],
    [{ python_version: '3.11' }, 'it is for Python 3.11, not for 3.13'],
    [{ python_full_version: '3.13.2' }, undefined],
    [{ python_full_version: '3.11.7' }, expect.stringContaining('it is for Python 3.11.7')],
  ])('%j', (requires, said) => expect(refused(requires)).toEqual(said))
})

test('every package that cannot be read is told, with its line', () => {
  const text = lock({ default: { 'a b': { version: '==1' }, 'a': { version: '>=1' }, 'b': {}, 'c': { version: '==1', markers: 'what' } } })
  expect(refusal('Pipfile.lock', text)).toBe('Pipfile.lock: line 11: a b is no name of a package; line 14: a has the version >=1, which is no pin; line 17: b has no version; line 18: c has a marker that cannot be read')
})
