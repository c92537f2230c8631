import { describe, expect, test } from 'vitest'
import { readLock } from '../../../src/domain/lock/lock.ts'
import { environment, pins, refusal, releases } from './rig.ts'

const FILE = 'poetry.lock'
const entry = (name: string, more = '') => `[[package]]\nname = "${name}"\nversion = "1.0"\noptional = false\npython-versions = ">=3.8"\nfiles = [{file = "${name}-1.0.tar.gz", hash = "sha256:AA"}]\n${more}\n`
const tail = (version: string) => `[extras]\nfast = ["faster"]\n[metadata]\nlock-version = "${version}"\npython-versions = ">=3.9,<4"\ncontent-hash = "x"\n`

const LOCK = `${entry('Foo.Bar', 'groups = ["main"]')}
${entry('windows', 'groups = ["main", "dev"]\nmarkers = "sys_platform == \'win32\'"')}
${entry('faster', 'groups = ["main"]\nmarkers = "extra == \'fast\'"')}
${entry('either', 'groups = ["main", "dev"]\nmarkers = {main = "extra == \'fast\'"}')}
${entry('tests', 'groups = ["dev"]')}
${entry('manual', 'groups = ["docs"]')}
${entry('cloned', 'groups = ["main"]\n[package.source]\ntype = "git"\nurl = "https://host.example/x"')}
${entry('own', 'groups = ["main"]\n[package.source]\ntype = "directory"\nurl = "lib"')}
${tail('2.1')}`

describe('the format of poetry 2', () => {
  test('by default all groups are planned, and no extra', () => {
    expect(releases(FILE, LOCK)).toEqual(['foo-bar==1.0', 'either==1.0', 'tests==1.0', 'manual==1.0', 'cloned==1.0'])
    expect(pins(FILE, LOCK)[0]).toEqual({ project: 'foo-bar', version: '1.0', line: 1, hashes: ['sha256:aa'], filenames: undefined, only: undefined, elsewhere: undefined })
    expect(pins(FILE, LOCK).at(-1)?.elsewhere).toBe('a git repository')
  })
  test('extras and groups', () => {
    expect(releases(FILE, LOCK, { extras: ['Fast'], groups: [] })).toEqual(['foo-bar==1.0', 'faster==1.0', 'either==1.0', 'cloned==1.0'])
    expect(releases(FILE, LOCK, { groups: ['dev'] })).toEqual(['foo-bar==1.0', 'either==1.0', 'tests==1.0', 'cloned==1.0'])
  })
  test('refused where it is not meant for', () => {
    expect(readLock(FILE, LOCK).refusal(environment())).toBeUndefined()
    expect(readLock(FILE, LOCK).refusal(environment('cp38-musllinux_1_2_x86_64'))).toBe('it is for Python >=3.9,<4, not for 3.8')
  })
})

describe('the older formats', () => {
  const OLD = `${entry('web', '[package.dependencies]\nDeep = ">=1"\nwindows = {version = "*", markers = "sys_platform == \'win32\'"}\nmany = [{version = "1", markers = "python_version < \'3\'"}, {version = "1", markers = "python_version > \'3\'"}]')}
${entry('deep')}${entry('windows')}${entry('many')}
${entry('circle-a', '[package.dependencies]\ncircle-b = "*"')}${entry('circle-b', '[package.dependencies]\ncircle-a = "*"')}
${entry('faster').replace('optional = false', 'optional = true')}
${entry('younger').replace('>=3.8', '>=3.14')}
`
  test('what nothing needs is taken for the project\'s own requirement, and what that needs here comes with it', () => {
    expect(releases(FILE, `${OLD}${tail('2.0')}`).toSorted()).toEqual(['circle-a==1.0', 'circle-b==1.0', 'deep==1.0', 'many==1.0', 'web==1.0'])
  })
  test('extras', () => {
    expect(releases(FILE, `${OLD}${tail('1.1')}`, { extras: ['fast'] })).toContain('faster==1.0')
  })
  test('the oldest keep categories, and all files in one table', () => {
    const lock = `[[package]]\nname = "Foo"\nversion = "1.0"\ncategory = "main"\noptional = false\npython-versions = "*"\n[[package]]\nname = "tests"\nversion = "1.0"\ncategory = "dev"\noptional = false\npython-versions = "*"\n${tail('1.0')}[metadata.files]\nFoo = [{file = "foo-1.0.tar.gz", hash = "sha256:bb"}]\n`
    expect(pins(FILE, lock)[0]).toMatchObject({ project: 'foo', hashes: ['sha256:bb'] })
    expect(releases(FILE, lock)).toEqual(['foo==1.0', 'tests==1.0'])
    expect(releases(FILE, lock, { groups: [] })).toEqual(['foo==1.0'])
  })
})

test.each([
  [tail('3.0'), /has version 3\.0 of its format/],
  ['x', /line 1: it is not valid TOML/],
  [`[[package]]\nname = "a"\n[[package]]\nname = "b"\nversion = "1"\nmarkers = 3\n${tail('2.1')}`, /line 1: a has no version that can be read; line 3: b has a marker that cannot be read/],
])('what cannot be read is refused: %j', (text, detail) => expect(refusal(FILE, text)).toMatch(detail))
