import { describe, expect, test } from 'vitest'
import { readLock } from '../../../src/domain/lock/lock.ts'
import { environment, pins, refusal, releases } from './rig.ts'

const FILE = 'uv.lock'
const entry = (name: string, { version = '1.0', source = '{ registry = "https://upstream.example/simple" }', more = '' } = {}) =>
  `[[package]]\nname = "${name}"\nversion = "${version}"\nsource = ${source}\n${more}\nsdist = { url = "https://upstream.example/f/${name}-${version}.tar.gz", hash = "sha256:AA", size = 1 }\n`
const head = 'version = 1\nrevision = 3\nrequires-python = ">=3.11, <4"\n'
const root = (more: string, name = 'demo') => `[[package]]\nname = "${name}"\nversion = "0.1"\nsource = { virtual = "." }\n${more}\n`

const LOCK = `${head}
${root(`dependencies = [
    { name = "web", extra = ["socks"] },
    { name = "windows", marker = "sys_platform == 'win32'" },
    { name = "lib" },
]
[package.optional-dependencies]
fast = [{ name = "faster" }]
[package.dev-dependencies]
dev = [{ name = "tests" }]
docs = [{ name = "manual", marker = "python_full_version < '3.12'" }]`)}
${entry('faster')}
[[package]]
name = "lib"
version = "2"
source = { editable = "lib" }
dependencies = [{ name = "deep" }]
${entry('deep')}
${entry('manual')}
${entry('nobody')}
${entry('socks')}
${entry('tests', { more: 'dependencies = [{ name = "web" }]' })}
${entry('web', { more: 'dependencies = [{ name = "deep" }]\noptional-dependencies.socks = [{ name = "socks" }]' })}
${entry('windows')}
`

test('what uv sync installs: the project, its members\' needs, the default group', () => {
  expect(releases(FILE, LOCK)).toEqual(['deep==1.0', 'socks==1.0', 'tests==1.0', 'web==1.0'])
  expect(pins(FILE, LOCK)[0]).toEqual({ project: 'deep', version: '1.0', line: expect.any(Number), hashes: ['sha256:aa'], filenames: ['deep-1.0.tar.gz'], only: undefined, elsewhere: undefined })
  expect(LOCK.split('\n')[pins(FILE, LOCK)[0]!.line!]).toBe('name = "deep"')
})

test('extras and groups', () => {
  expect(releases(FILE, LOCK, { extras: ['Fast'], groups: [] })).toEqual(['faster==1.0', 'deep==1.0', 'socks==1.0', 'web==1.0'])
  expect(releases(FILE, LOCK, { groups: ['docs'] })).not.toContain('manual==1.0')
  expect(releases(FILE, LOCK, { groups: ['docs'], target: 'cp311-musllinux_1_2_x86_64' })).toContain('manual==1.0')
})

test('forks: by version and source, or by their own markers', () => {
  const forks = `${head}${root(`dependencies = [
    { name = "a", version = "1.0", source = { registry = "r" }, marker = "python_full_version < '3.13'" },
    { name = "a", version = "2.0", source = { registry = "r" }, marker = "python_full_version >= '3.13'" },
    { name = "b" },
]`)}
${entry('a', { version: '1.0', source: '{ registry = "r" }' })}
${entry('a', { version: '2.0', source: '{ registry = "r" }' })}
${entry('b', { version: '1.0', more: 'resolution-markers = ["python_full_version < \'3.13\'"]' })}
${entry('b', { version: '2.0', more: 'resolution-markers = ["python_full_version >= \'3.13\'"]' })}`
  expect(releases(FILE, forks)).toEqual(['a==2.0', 'b==2.0'])
  expect(releases(FILE, forks, { target: 'cp312-musllinux_1_2_x86_64' })).toEqual(['a==1.0', 'b==1.0'])
})

test('extras that conflict have names of their own in markers', () => {
  const conflict = `${head}${root(`[package.optional-dependencies]
cpu = [{ name = "a", version = "1.0", marker = "extra == 'extra-4-demo-cpu'" }]
gpu = [{ name = "a", version = "2.0", marker = "extra == 'extra-4-demo-gpu' and extra != 'extra-4-demo-cpu'" }]`)}${entry('a', { version: '1.0' })}${entry('a', { version: '2.0' })}`
  expect(releases(FILE, conflict, { extras: ['gpu'] })).toEqual(['a==2.0'])
  expect(releases(FILE, conflict, { extras: ['cpu'] })).toEqual(['a==1.0'])
})

test('a workspace without a project of its own, and a script', () => {
  const member = (name: string) => `[[package]]\nname = "${name}"\nversion = "1"\nsource = { editable = "${name}" }\ndependencies = [{ name = "of-${name}" }]\n`
  const workspace = `${head}[manifest]\nmembers = ["m", "n"]\n[manifest.dependency-groups]\ndev = [{ name = "tests" }]\n${member('m')}${member('n')}${entry('of-m')}${entry('of-n')}${entry('tests')}${entry('nobody')}`
  expect(releases(FILE, workspace)).toEqual(['of-m==1.0', 'of-n==1.0', 'tests==1.0'])
  const script = `${head}[manifest]\nrequirements = [{ name = "a", specifier = ">=1", extras = ["x"] }]\n${entry('a', { more: 'optional-dependencies.x = [{ name = "b" }]' })}${entry('b')}${entry('nobody')}`
  expect(releases('tool.py.lock', script)).toEqual(['a==1.0', 'b==1.0'])
})

test('what comes from elsewhere', () => {
  const lock = `${head}${root('dependencies = [{ name = "a" }, { name = "b" }, { name = "c" }]')}${entry('a', { source: '{ git = "https://host.example/a?rev=1#2" }' })}${entry('b', { source: '{ url = "https://host.example/b.zip" }' })}${entry('c', { source: '{ path = "c.whl" }' })}`
  expect(pins(FILE, lock).map(({ elsewhere }) => elsewhere)).toEqual(['a git repository', 'a URL of its own', 'a file on disk'])
})

test('the whole of it is refused where it is not meant for', () => {
  expect(readLock(FILE, LOCK).refusal(environment('cp310-musllinux_1_2_x86_64'))).toBe('it is for Python >=3.11, <4, not for 3.10')
  expect(readLock(FILE, `supported-markers = ["sys_platform == 'darwin'"]\n${LOCK}`).refusal(environment())).toBe('it is for other environments')
})

describe('what cannot be read is refused', () => {
  test.each([
    ['version = 2', /has version 2 of its format/],
    ['a = ', /not valid TOML/],
    [`${head}[[package]]\nname = "a"\n[[package]]\nname = "b"\nversion = "x"\nsource = { registry = "r" }\n[[package]]\nname = "c"\nsource = { registry = "r" }`, /line 4: a has no source; line 6: b has the version x, which is none; line 10: c has no version/],
    [`${head}${root('dependencies = [{ name = "a", marker = "os_name" }]')}`, /demo has a marker that cannot be read/],
  ])('%j', (text, detail) => expect(refusal(FILE, text)).toMatch(detail))
})
