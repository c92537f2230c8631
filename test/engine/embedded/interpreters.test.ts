import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findInterpreters, interpreterOf } from '../../../src/engine/embedded/interpreters.ts'

type Answer = Parameters<typeof interpreterOf>[0]

let home: string
beforeEach(async () => { home = await realpath(await mkdtemp(join(tmpdir(), 'muslin-interpreters-'))) })
afterEach(() => rm(home, { recursive: true }))

function answer(executable: string, more: Partial<Answer> = {}): Answer {
  const prefix = dirname(dirname(executable))
  return {
    implementation: 'CPython', version: '3.13.0', executable, prefixes: [prefix], include: [`${prefix}/include/python3.13`], headers: true, lacks: [],
    libc: 'glibc', bits: 64, special: [], ...more,
  }
}

/** A program that answers as an interpreter would, only where it is asked as one should be. */
async function python(path: string, answers: Answer | string): Promise<string> {
  const executable = join(home, path)
  await mkdir(dirname(executable), { recursive: true })
  const text = typeof answers === 'string' ? answers : JSON.stringify({ ...answers, executable: answers.executable || executable })
  await writeFile(executable, `#!/bin/sh\n[ "$1" = -I ] && [ -z "$PYTHONPATH$PIP_INDEX_URL" ] || exit 9\ncat <<'END'\n${text}\nEND\n`)
  await chmod(executable, 0o755)
  return executable
}

async function found(path: string[], named: string[] = []): Promise<string[]> {
  const env = { PATH: path.map((folder) => join(home, folder)).join(':'), PYTHONPATH: '/evil', PIP_INDEX_URL: 'x' }
  return (await findInterpreters({ env, home, named })).map(({ version, executable }) => `${version} ${executable.slice(home.length + 1)}`)
}

const at = (path: string, more: Partial<Answer> = {}) => python(path, answer(join(home, path), more))

describe('are found', () => {
  test('by name, on the PATH and under pyenv\'s versions, in this order', async () => {
    await at('.pyenv/versions/3.9.1/bin/python3.9', { version: '3.9.1' })
    await at('.pyenv/versions/3.12.10/bin/python3.12', { version: '3.12.10' })
    await at('.pyenv/versions/3.12.9/bin/python3.12', { version: '3.12.9' })
    await at('usr/bin/python3.11', { version: '3.11.2' })
    const named = await at('own/bin/interpreter', { version: '3.14.0' })
    expect(await found(['usr/bin'], [named])).toEqual([
      '3.14.0 own/bin/interpreter', '3.11.2 usr/bin/python3.11', '3.12.10 .pyenv/versions/3.12.10/bin/python3.12',
      '3.12.9 .pyenv/versions/3.12.9/bin/python3.12', '3.9.1 .pyenv/versions/3.9.1/bin/python3.9',
    ])
  })

  test('once, whatever links lead there', async () => {
    const executable = await at('usr/bin/python3.13')
    await symlink('python3.13', join(home, 'usr/bin/python3'))
    await mkdir(join(home, 'venv/bin'), { recursive: true })
    await symlink(executable, join(home, 'venv/bin/python'))
    await symlink('usr/bin', join(home, 'bin'))
    expect(await found(['bin', 'usr/bin', 'venv/bin'], [join(home, 'venv/bin/python')])).toEqual(['3.13.0 usr/bin/python3.13'])
  })

  test('once for each prefix and minor', async () => {
    const twin = join(home, 'usr/bin/python3.13')
    await at('usr/bin/python3.13')
    await at('usr/bin/python3.12', { version: '3.12.1' })
    await python('usr/bin/python3', answer(twin))
    expect(await found(['usr/bin'])).toEqual(['3.13.0 usr/bin/python3.13', '3.12.1 usr/bin/python3.12'])
  })

  test('but no shims, which would start another Python in each folder', async () => {
    const real = await at('.pyenv/versions/3.13.0/bin/python3.13')
    await python('.pyenv/shims/python3', { ...answer(real), version: '3.13.99' })
    await mkdir(join(home, 'bin'))
    await symlink('../.pyenv/shims/python3', join(home, 'bin/python3'))
    expect(await found(['.pyenv/shims', 'bin'])).toEqual(['3.13.0 .pyenv/versions/3.13.0/bin/python3.13'])
  })

  test('but nothing that only has such a name', async () => {
    await python('usr/bin/python3', 'Hello')
    await python('usr/bin/python3.12', '{"implementation": "CPython"}')
    await at('usr/bin/python3-config')
    await at('usr/bin/python3.13')
    expect(await found(['usr/bin', 'none', ''], ['/nowhere/python3'])).toEqual(['3.13.0 usr/bin/python3.13'])
  })
})

describe('an answer', () => {
  const given = (more: Partial<Answer> = {}) => interpreterOf(answer('/opt/python/bin/python3.13', more), '/home/me')

  test('says what it is', () => {
    expect(given()).toEqual({
      executable: '/opt/python/bin/python3.13', version: '3.13.0', minor: '3.13', prefix: '/opt/python', prefixes: ['/opt/python'], libc: 'glibc',
      include: ['/opt/python/include/python3.13'], headers: true, complete: true,
    })
  })

  test.each<[string, Partial<Answer>]>([
    ['another implementation', { implementation: 'PyPy' }], ['Python 2', { version: '2.7.18' }], ['free-threaded', { special: ['Py_GIL_DISABLED'] }],
    ['32 bits', { bits: 32 }], ['another libc', { libc: null }],
  ])('of no use: %s', (_, more) => {
    expect(given(more)).toBeUndefined()
  })

  test.each<[string, Partial<Answer>, object]>([
    ['headers, of Debian\'s', { headers: false, prefixes: ['/usr'] }, { headers: false, complete: true, missing: expect.stringContaining('apt-get install python3-dev') }],
    ['headers, of another', { headers: false }, { headers: false, missing: expect.stringMatching(/Python\.h.*install it anew/) }],
    ['modules', { lacks: ['venv'], prefixes: ['/usr'] }, { complete: false, missing: expect.stringContaining('apt-get install python3-venv') }],
    ['a folder of its own: /', { prefixes: ['/'] }, { complete: false, missing: expect.stringContaining('builds would read all of it') }],
    ['a folder of its own: a home', { prefixes: ['/opt/python', '/home/me'] }, { complete: false, missing: expect.stringContaining('/home/me holds more than a Python') }],
    ['a folder of its own: ~/.local', { prefixes: ['/home/me/.local'] }, { complete: false, missing: expect.stringContaining('install one in a folder of its own') }],
    ['years', { version: '3.9.18' }, { complete: false, missing: expect.stringContaining('older than 3.10') }],
  ])('that lacks %s says the remedy', (_, more, expected) => {
    expect(given(more)).toMatchObject(expected)
  })
})
