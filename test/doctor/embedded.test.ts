import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { besideContainers } from '../../src/doctor/builders.ts'
import { fail, ok, warn } from '../../src/doctor/check.ts'
import { pythonsFound, unusablePythons } from '../../src/doctor/embedded.ts'
import type { Interpreter } from '../../src/engine/embedded/interpreters.ts'
import { temporaryFolder } from '../storage/folder.ts'

const TARGETS = ['cp312-musllinux_1_2_x86_64', 'cp313-musllinux_1_2_x86_64']

function python(version: string, parts: Partial<Interpreter> = {}): Interpreter {
  const executable = `/opt/${version}/bin/python3`
  return {
    executable, version, minor: version.split('.').slice(0, 2).join('.'), prefix: `/opt/${version}`, prefixes: [`/opt/${version}`], libc: 'glibc', include: [],
    headers: parts.missing === undefined, complete: true, ...parts,
  }
}

const MISSING = 'its headers (Python.h) are not installed: apt-get install python3-dev'

test('each CPython is told what it is good for, and which targets they make together', () => {
  expect(pythonsFound([python('3.13.1'), python('3.13.0', { libc: 'musl' }), python('3.12.1', { missing: MISSING }), python('3.10.1')], TARGETS, 'x86_64')).toEqual([
    { state: 'ok', name: 'python', found: '3.13.1 (glibc) at /opt/3.13.1/bin/python3 builds for 3.13', remedy: undefined },
    { state: 'ok', name: 'python', found: '3.13.0 (musl) at /opt/3.13.0/bin/python3 builds for 3.13 and tries wheels for 3.13', remedy: undefined },
    { state: 'warn', name: 'python', found: '3.12.1 (glibc) at /opt/3.12.1/bin/python3 does not build: its headers (Python.h) are not installed', remedy: 'apt-get install python3-dev' },
    { state: 'ok', name: 'python', found: '3.10.1 (glibc) at /opt/3.10.1/bin/python3 builds for 3.10', remedy: undefined },
    { state: 'ok', name: 'targets', found: 'cp313-musllinux_1_2_x86_64, cp310-musllinux_1_2_x86_64; not for cp312-musllinux_1_2_x86_64', remedy: undefined },
  ])
})

test('one that cannot build is no matter where another of its minor does, or nobody wants that', () => {
  const states = pythonsFound([python('3.13.1'), python('3.13.0', { missing: MISSING }), python('3.9.1', { missing: 'it is older than 3.10: install a newer one' })], TARGETS, 'x86_64')
  expect(states.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok'])
})

test.each([[[]], [[python('3.13.0', { missing: MISSING })]]])('without a CPython with headers it fails, and says how to get one', (interpreters) => {
  expect(pythonsFound(interpreters, TARGETS, 'x86_64').at(-1)).toMatchObject({ state: 'fail', name: 'targets', remedy: expect.stringContaining('python3-dev') })
})

test('a named Python that is no use is told, with what is wrong with it', async () => {
  const { folder, remove } = await temporaryFolder()
  try {
    const script = async (name: string, mode: number) => {
      const path = join(folder, name)
      await writeFile(path, '#!/bin/sh\necho PyPy\n')
      await chmod(path, mode)
      return path
    }
    const checks = await unusablePythons([join(folder, 'absent'), folder, await script('plain', 0o644), await script('pypy', 0o755)])
    expect(checks.map(({ state }) => state)).toEqual(Array(4).fill('warn'))
    expect(checks.map(({ found }) => found.replace(folder, '.').replace(/.*python, /, ''))).toEqual([
      'is not there', 'is a folder', 'may not be run', 'is no CPython 3 of 64 bits without a special ABI (free-threaded, debug), or does not run',
    ])
    expect(checks[0]?.found).toContain(join(folder, 'absent'))
  } finally {
    await remove()
  }
})

test('beside docker the embedded engine is one line, or none', () => {
  const targets = ok('targets', 'cp313-musllinux_1_2_x86_64; not for cp312-musllinux_1_2_x86_64')
  expect(besideContainers([warn('sandbox', 'none', 'x'), targets], 'docker')).toEqual([ok('embedded', 'not needed, but would work without docker, for cp313-musllinux_1_2_x86_64')])
  expect(besideContainers([fail('sandbox', 'none', 'x'), targets], 'docker')).toEqual([])
})
