import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MuslinError } from '../../../src/errors.ts'
import { pins, refusal, releases, timed } from './rig.ts'

const FILE = 'requirements.txt'
const HASH = `sha256:${'a'.repeat(64)}`

test('a file as lockers write it', () => {
  const text = [
    '# made by a locker',
    '--index-url https://upstream.example/simple',
    'Zope.Interface[test]==5.0 \\',
    `    --hash=${HASH} \\`,
    `    --hash sha384:${'B'.repeat(96)} \\`,
    '    # via something',
    '    ',
    'foo == 1.0.post1 ; python_version >= "3.8" and sys_platform == "linux"  # a comment',
    'win==2.0; sys_platform == "win32"',
    'old (==1.0) ; python_version < "3.9"',
    'new===v2.0 ; extra == "x" or python_version >= "3.9"',
    'last==1!2.0rc1,>=1',
  ].join('\n')
  expect(pins(FILE, text)).toEqual([
    { project: 'zope-interface', version: '5.0', line: 3, hashes: [HASH, `sha384:${'b'.repeat(96)}`], filenames: undefined, only: undefined, elsewhere: undefined },
    expect.objectContaining({ project: 'foo', version: '1.0.post1', line: 8, hashes: [] }),
    expect.objectContaining({ project: 'new', version: 'v2.0', line: 11 }),
    expect.objectContaining({ project: 'last', version: '1!2.0rc1', line: 12 }),
  ])
  expect(releases(FILE, text, { target: 'cp38-musllinux_1_2_x86_64' })).toContain('old==1.0')
})

test.each([
  ['windows line ends and a byte order mark', '\ufefffoo==1\r\nbar==2\r\n'],
  ['a last line that goes on', 'foo==1\nbar==2 \\'],
  ['a comment inside what goes on', 'foo==1 \\\n# comment\nbar==2'],
  ['options of pip', '-i https://upstream.example/\n--extra-index-url=x\n-f dir\n--pre\n--require-hashes\n--trusted-host h\nfoo==1\nbar==2'],
  ['constraints, which pins cannot be narrowed by', '-c constraints.txt\nfoo==1\nbar==2'],
  ['the project itself', '-e .\n.\n./lib\n-e file:.\n.[extra]\nfoo==1\nbar==2'],
  ['doubles', 'foo==1\nfoo==1.0\nbar==2'],
])('%s', (_, text) => expect(releases(FILE, text)).toEqual(['foo==1', 'bar==2']))

test('what one mention leaves free is free', () => {
  expect(pins(FILE, `foo==1 --hash=${HASH}\nfoo==1`)[0]?.hashes).toEqual([])
  expect(pins(FILE, `foo==1 --hash=${HASH}\nfoo==1 --hash=sha256:ff`)[0]?.hashes).toEqual([HASH, 'sha256:ff'])
})

test('a file that is included is given too, or refused by name', () => {
  expect(releases(FILE, '-r ./base/base.txt\nfoo==1', { given: ['base.txt'] })).toEqual(['foo==1'])
  expect(refusal(FILE, '-r base.txt\nfoo==1')).toBe('requirements.txt: line 1: it includes base.txt, which is not among the files: give that file too')
})

describe('which kinds of files pip may take', () => {
  test.each<[string, string[], (string | undefined)[]]>([
    ['for all', ['--only-binary :all:'], ['wheels', 'wheels']],
    ['for one', ['--only-binary=Foo,x'], ['wheels', undefined]],
    ['for all but one', ['--no-binary :all:', '--only-binary foo'], ['wheels', 'sdists']],
    ['the last word counts', ['--only-binary foo', '--no-binary foo,bar', '--no-binary :none:'], [undefined, undefined]],
    ['even behind the requirement', ['--no-binary=bar'], [undefined, 'sdists']],
  ])('%s', (_, options, only) => {
    expect(pins(FILE, ['foo==1', 'bar==1', ...options].join('\n')).map((pin) => pin.only)).toEqual(only)
  })
})

describe('what is no pinned release is refused with its number', () => {
  test.each([
    ['foo', 'foo is not pinned'],
    ['foo>=1', 'foo>=1 is not pinned'],
    ['foo==1.*', 'foo==1.* is not pinned'],
    ['foo[x] ; python_version > "3"', 'is not pinned'],
    ['foo===some-text', 'is not pinned'],
    ['foo @ https://host.example/foo.zip', 'comes from a URL'],
    ['foo@file:///x', 'comes from a URL'],
    ['https://host.example/foo.zip', 'is no requirement of a release'],
    ['git+https://host.example/foo', 'is no requirement of a release'],
    ['-e git+https://host.example/foo', 'comes from a repository'],
    ['foo==abc', 'has a version that cannot be read'],
    ['foo 1.0', 'has a version that cannot be read'],
    ['foo==1; nothing == "x"', 'has a marker that cannot be read'],
    ['foo==1 --hash=md5:aa', 'md5:aa is no hash'],
    ['foo==1 --hash', 'is no hash'],
    ['foo==1 --nonsense=1', '--nonsense is no option of a requirement'],
    ['--nonsense', '--nonsense is no option that is known'],
    ['[tool.poetry]', 'is no requirement'],
    ['{"a": 1}', 'is no requirement'],
  ])('%j', (line, what) => {
    const detail = refusal(FILE, `# first\n${line}\nbar==1`)
    expect(detail).toContain('requirements.txt: line 2: ')
    expect(detail).toContain(what)
  })

  test('all at once, in one line that ends', () => {
    const detail = refusal(FILE, ['a', 'b==1', ...Array.from({ length: 50 }, (_, i) => `x${i}`), 'c==1', 'd', 'e'].join('\n'))
    expect(detail).toMatch(/line 1: a is not pinned.*line 3: x0 is not pinned.*and likewise lines 22-52, 54-55$/)
    expect(detail).not.toContain('\n')
    expect(refusal(FILE, 'a\n\n'.repeat(40_000)).length).toBeLessThan(10_000)
  })
})

test('no text makes it throw anything else, and what it pins is a release', () => {
  const piece = fc.constantFrom('foo', '==1', ' ', '\n', '\\\n', '#', ';', 'os_name', '"x"', '--hash=sha256:aa', '-r x', '[x]', '@', ',', '>=2', '(', ')', '-', '.')
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))), (text) => {
    try {
      for (const pin of pins(FILE, text)) expect(pin).toMatchObject({ project: expect.stringMatching(/^[a-z0-9][a-z0-9-]*$/), version: expect.stringMatching(/[0-9]/) })
    } catch (error) {
      expect(error).toBeInstanceOf(MuslinError)
    }
  }), { numRuns: 500 })
})

describe('hostile files are read, or refused, in time', () => {
  const MB = 1 << 18
  test.each([
    ['one long line', 'x'.repeat(8 * MB)],
    ['backslashes', `${'\\'.repeat(4 * MB)}x\\`],
    ['lines that all go on', '\\\n'.repeat(2 * MB)],
    ['spaces before a comment that is none', `foo==1${' '.repeat(4 * MB)}x`],
    ['a name without end', `a${'-'.repeat(4 * MB)}`],
    ['brackets', `foo${'['.repeat(4 * MB)}`],
    ['commas', `foo==1${','.repeat(4 * MB)}`],
    ['the same release again and again', `foo==1 --hash=${HASH}\n`.repeat(20_000)],
    ['hashes', `foo==1${` --hash=${HASH}`.repeat(50_000)}`],
    ['bad lines', 'a\nb==1\n'.repeat(500_000)],
    ['comments', '#\n'.repeat(500_000)],
  ])('%s', (_, text) => expect(timed(FILE, text)).toBeLessThan(4000))
})
