import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addHashes } from '../../../src/domain/lock/add-hashes.ts'
import { readLock } from '../../../src/domain/lock/lock.ts'
import { MuslinError } from '../../../src/errors.ts'
import { refusal, timed } from './rig.ts'

const UV = 'version = 1\n[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "r" }\n'
const POETRY = '[[package]]\nname = "a"\nversion = "1"\n[metadata]\nlock-version = "2.1"\ncontent-hash = "x"\n'
const PYLOCK = 'lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\nwheels = []\n'
const PDM = '[metadata]\nlock_version = "4.5.0"\n[[package]]\nname = "a"\nversion = "1"\n'
const PIPFILE = '{"_meta": {"pipfile-spec": 6}, "default": {"a": {"version": "==1"}}}'

test.each([
  ['requirements.txt', 'a==1', 'requirements'],
  ['constraints/Prod.in', 'a==1', 'requirements'],
  ['pylock.toml', PYLOCK, 'pylock'],
  ['x\\pylock.dev.toml', PYLOCK, 'pylock'],
  ['path/to/uv.lock', UV, 'uv'],
  ['tool.py.lock', UV, 'uv'],
  ['poetry.lock', POETRY, 'poetry'],
  ['pasted', UV, 'uv'],
  ['requirements.txt', UV, 'uv'],
  ['pasted', POETRY, 'poetry'],
  ['pasted', PYLOCK, 'pylock'],
  ['pasted', '# nothing', 'requirements'],
  ['a/pdm.lock', PDM, 'pdm'],
  ['pasted', PDM, 'pdm'],
  ['Pipfile.lock', PIPFILE, 'pipfile'],
  ['pasted', PIPFILE, 'pipfile'],
])('%s with %j is read as %s', (name, text, kind) => expect(readLock(name, text).kind).toBe(kind))

test.each([
  ['pyproject.toml', /it is no lock: give what is made from it/],
  ['Pipfile', /it is no lock: give the Pipfile\.lock/],
  ['Pipfile.lock', /it is not valid JSON/],
  ['pdm.lock', /it has version none of its format; 4 is what can be read/],
])('%s is refused with what helps', (name, detail) => expect(refusal(name, UV)).toMatch(detail))

test('a file of more than 8 MB is refused', () => {
  expect(() => readLock('a.txt', ' '.repeat((8 << 20) + 1))).toThrow(expect.objectContaining({ code: 'too-large' }))
})

test('no text makes a reader throw anything else', () => {
  const piece = fc.constantFrom('[[package]]\n', '[[packages]]\n', 'name = "a"\n', 'version = "1"\n', 'version = 1\n', 'lock-version = "1.0"\n', 'source = { virtual = "." }\n', 'dependencies = [{ name = "a" }]\n',
    'dependencies = 3\n', 'markers = { main = 3 }\n', 'groups = ["main"]\n', 'files = [3]\n', 'wheels = [{ url = 3 }]\n', '[metadata]\n', '[manifest]\nmembers = [3]\n', '[extras]\nx = [3]\n', 'sdist = 1979-05-27\n', '"', 'lock_version = "4.5"\n', 'targets = [3]\n', '{"_meta": {"pipfile-spec": 6}, "default": ', '{"a": ', '{"version": "==1", "hashes": [3]}', '3', '}')
  fc.assert(fc.property(fc.constantFrom('uv.lock', 'poetry.lock', 'pylock.toml', 'pdm.lock', 'Pipfile.lock', 'x'), fc.array(piece, { maxLength: 15 }), (name, pieces) => {
    try {
      readLock(name, pieces.join('')).pins({} as never, { extras: ['x'], groups: undefined })
      addHashes(name, pieces.join(''), [{ project: 'a', version: '1', wheel: { filename: 'a-1-cp313-cp313-musllinux_1_2_x86_64.whl', sha256: 'a'.repeat(64), size: 1 }, sdist: '0'.repeat(64) }], { rootOf: () => '/' })
    } catch (error) {
      if (!(error instanceof MuslinError)) throw error
    }
  }), { numRuns: 500 })
})

describe('hostile locks are read, or refused, in time', () => {
  const uv = (lines: string) => `version = 1\n[[package]]\nname = "demo"\nsource = { virtual = "." }\n${lines}`
  const many = (count: number, make: (i: number) => string) => Array.from({ length: count }, (_, i) => make(i)).join('\n')
  test.each([
    ['depth', 'uv.lock', `a = ${'['.repeat(100_000)}`],
    ['deep JSON', 'Pipfile.lock', `{"_meta": {"pipfile-spec": 6}, "default": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['too many names', 'Pipfile.lock', `{"_meta": {"pipfile-spec": 6}, "default": {${Array.from({ length: 100_000 }, (_, i) => `"a${i}": {}`).join(',')}}}`],
    ['deep tables', 'uv.lock', `a = ${'{a='.repeat(100_000)}`],
    ['deep keys', 'uv.lock', `${'a.'.repeat(100_000)}a = 1`],
    ['too many packages', 'poetry.lock', '[[package]]\n'.repeat(200_000)],
    ['one name, everywhere', 'uv.lock', uv(`dependencies = [${'{name="a"},'.repeat(40_000)}]\n${many(20_000, (i) => `[[package]]\nname="a"\nversion="${i}"\nsource={registry="r"}\ndependencies=[{name="a"}]`)}`)],
    ['extras of extras', 'uv.lock', uv(`dependencies = [${many(20_000, (i) => `{name="a",extra=["x${i}"]},`)}]\n[[package]]\nname="a"\nversion="1"\nsource={registry="r"}\n[package.optional-dependencies]\n${many(20_000, (i) => `x${i} = [{name="a",extra=["x${i + 1}"]}]`)}`)],
    ['a chain', 'poetry.lock', `${many(20_000, (i) => `[[package]]\nname="p${i}"\nversion="1"\n[package.dependencies]\np${i + 1}="*"`)}\n[metadata]\nlock-version="2.0"\ncontent-hash="x"`],
    ['markers', 'pylock.toml', `lock-version = "1.0"\n${many(5_000, (i) => `[[packages]]\nname="p${i}"\nversion="1"\nwheels=[]\nmarker="${'('.repeat(200)}os_name == '${i}'${')'.repeat(200)}"`)}`],
    ['files', 'pylock.toml', `lock-version = "1.0"\n[[packages]]\nname="p"\nversion="1"\nwheels=[${'{name="x",hashes={sha256="a"}},'.repeat(100_000)}]`],
  ])('%s', (_, name, text) => expect(timed(name, text)).toBeLessThan(4000))
})
