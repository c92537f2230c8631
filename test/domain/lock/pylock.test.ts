import { describe, expect, test } from 'vitest'
import { readLock } from '../../../src/domain/lock/lock.ts'
import { environment, pins, refusal, releases } from './rig.ts'

const FILE = 'pylock.toml'
const entry = (name: string, more = '') => `[[packages]]\nname = "${name}"\nversion = "1.0"\n${more}\nwheels = [{ url = "https://upstream.example/f/${name}-1.0-py3-none-any.whl", hashes = { sha256 = "AA" } }]\n`
const LOCK = `lock-version = "1.0"
requires-python = ">=3.9"
environments = ["sys_platform == 'linux'"]
extras = ["fast"]
dependency-groups = ["dev", "docs"]
default-groups = ["dev"]
created-by = "a locker"

[[packages]]
name = "Foo.Bar"
version = "1.0"
sdist = { name = "foo_bar-1.0.tar.gz", url = "https://upstream.example/f/x", hashes = { sha256 = "ff", sha512 = "ee" } }

[[packages.wheels]]
url = "https://upstream.example/f/foo%5Fbar-1.0-py3-none-any.whl#x"
hashes = { sha256 = "AB" }

${entry('windows', 'marker = "sys_platform == \'win32\'"')}
${entry('faster', 'marker = "\'fast\' in extras"')}
${entry('tests', 'marker = "\'dev\' in dependency_groups"')}
${entry('manual', 'marker = "\'docs\' in dependency_groups"')}

[[packages]]
name = "cloned"
vcs = { type = "git", url = "https://host.example/x", commit-id = "1" }

[[packages]]
name = "thrown"
version = "3"
archive = { url = "https://host.example/x.zip", hashes = { sha256 = "00" } }

[[packages]]
name = "own"
directory = { path = ".", editable = true }
`

test('what is installed by default', () => {
  expect(pins(FILE, LOCK)).toEqual([
    { project: 'foo-bar', version: '1.0', line: 9, hashes: ['sha256:ab', 'sha256:ff', 'sha512:ee'], filenames: ['foo_bar-1.0-py3-none-any.whl', 'foo_bar-1.0.tar.gz'], only: undefined, elsewhere: undefined },
    expect.objectContaining({ project: 'tests', hashes: ['sha256:aa'] }),
    expect.objectContaining({ project: 'cloned', version: '', elsewhere: 'a git repository' }),
    expect.objectContaining({ project: 'thrown', version: '3', elsewhere: 'an archive of its own' }),
  ])
})

test('extras and groups', () => {
  expect(releases(FILE, LOCK, { extras: ['Fast'], groups: ['docs'] }).slice(0, 3)).toEqual(['foo-bar==1.0', 'faster==1.0', 'manual==1.0'])
  expect(releases(FILE, LOCK, { groups: [] })).not.toContain('tests==1.0')
})

test('the whole of it is refused where it is not meant for', () => {
  const lock = readLock(FILE, LOCK)
  expect(lock.refusal(environment())).toBeUndefined()
  expect(lock.refusal(environment('cp38-musllinux_1_2_x86_64'))).toBe('it is for Python >=3.9, not for 3.8')
  expect(readLock(FILE, LOCK.replace("== 'linux'", "== 'darwin'")).refusal(environment())).toBe('it is for other environments')
})

test('a file without a hash is any file of that name', () => {
  const text = 'lock-version = "1.0"\n[[packages]]\nname = "foo"\nversion = "1"\nsdist = { url = "https://upstream.example/foo-1.tar.gz" }\nwheels = []\n'
  expect(pins(FILE, text)).toMatchObject([{ hashes: [], filenames: ['foo-1.tar.gz'] }])
})

describe('what cannot be read is refused', () => {
  test.each([
    ['x = [', /line 1: it is not valid TOML/],
    ['lock-version = "2.0"', /its lock-version is 2\.0/],
    ['a = 1', /its lock-version is missing/],
    ['lock-version = "1.0"\n[[packages]]\nversion = "1"\n\n[[packages]]\nname = "b"\n\n[[packages]]\nname = "c"\nversion = "x"\nwheels = []', /line 2: a package without a name; line 5: b names no file; line 8: c has the version x/],
    ['lock-version = "1.0"\n[[packages]]\nname = "a"\nwheels = []', /a has no version/],
    ['lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\nmarker = "x"\nwheels = []', /a has a marker that cannot be read/],
  ])('%j', (text, detail) => expect(refusal(FILE, text)).toMatch(detail))
})
