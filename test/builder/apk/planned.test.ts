import { expect, test } from 'vitest'
import { plannedApks, secondPython } from '../../../src/builder/apk/planned.ts'
import type { ApkEntry } from '../../../src/domain/apk-index.ts'
import type { ApkIndexFile } from '../../../src/services/ports.ts'

function entry(name: string, version: string, more: Partial<ApkEntry> = {}): ApkEntry {
  return { name, version, arch: 'x86_64', size: 1, checksum: `Q1${name}`, origin: name, provides: [], depends: [], description: '', ...more }
}

function index(path: string, ...entries: ApkEntry[]): ApkIndexFile {
  return { path, entries, sha256: '', size: 0, open: () => Promise.reject(new Error('nobody opens it')) }
}

const MAIN = index('apk/v3.21/main', entry('zlib', '1.3.1-r1'), entry('zlib-dev', '1.3.1-r0'), entry('musl', '1.2.5-r9'), entry('libstdc++', '13.2.1_git20231014-r0'))
const MORE = index('apk/v3.21/community', entry('zlib', '1.3.1-r1'), entry('R', '4.4~a1-r0'))

const names = (text: string, ...indexes: ApkIndexFile[]) => plannedApks(text, indexes)?.map(({ entry: one, paths }) => [one.name, one.version, ...paths])

test('changes as apk-tools 2.14 and 3 tell them, by name', () => {
  expect(names(`fetch http://muslin/apk/v3.21/main/x86_64/APKINDEX.tar.gz
WARNING: fetching http://muslin/apk/v3.21/testing: No such file or directory
( 1/10) Purging old (1.0-r0)
(2/10) Upgrading zlib (1.3.1-r0 -> 1.3.1-r1)
(3/10) Installing zlib-dev (1.3.1-r0)
(4/10) Downgrading musl (1.2.6-r0 -> 1.2.5-r9)
(5/10) Installing libstdc++ (13.2.1_git20231014-r0)
(6/10) Replacing R@edge (4.4~a1-r0 -> 4.4~a1-r0)
OK: 10 MiB in 20 packages
`, MAIN, MORE)).toEqual([
    ['R', '4.4~a1-r0', 'apk/v3.21/community'],
    ['libstdc++', '13.2.1_git20231014-r0', 'apk/v3.21/main'],
    ['musl', '1.2.5-r9', 'apk/v3.21/main'],
    ['zlib', '1.3.1-r1', 'apk/v3.21/main', 'apk/v3.21/community'],
    ['zlib-dev', '1.3.1-r0', 'apk/v3.21/main'],
  ])
})

test('nothing to do is a plan too', () => {
  expect(names('OK: 10 MiB in 20 packages\n', MAIN)).toEqual([])
})

test('a version that our index does not have comes from another one', () => {
  expect(names('(1/1) Installing zlib (1.3.2-r0)\n', MAIN)).toBeUndefined()
})

test('what would bring a second Python is named, with what requires it', () => {
  const plan = (...entries: ApkEntry[]) => secondPython(entries.map((one) => ({ entry: one, paths: [] })))
  expect(plan(entry('zlib', '1'))).toBeUndefined()
  expect(plan(entry('py3-pip', '1'), entry('x', '1'))).toBe('the apk py3-pip: the image\'s own Python must stay the only one')
  expect(plan(entry('python3', '1', { provides: ['cmd:python3=1'] }), entry('glib-dev', '1', { depends: ['cmd:python3'] })))
    .toBe('the apk python3, which glib-dev requires: the image\'s own Python must stay the only one')
})
