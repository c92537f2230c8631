import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createInterpreterImages, type LocalPython } from '../../src/builder/interpreter-images.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { manualClock } from '../manual-clock.ts'
import { fakeEngine } from './fake-engine.ts'

const target = (name: string) => parseTarget(name)!
const CP311 = target('cp311-musllinux_1_2_x86_64')
const CP313 = target('cp313-musllinux_1_2_x86_64')
const GLIBC_311 = { executable: '/a/python3.11', minor: '3.11', libc: 'glibc', headers: true, complete: true } as const
const GLIBC_313 = { executable: '/b/python3.13', minor: '3.13', libc: 'glibc', headers: true, complete: true } as const
const MUSL_313 = { executable: '/c/python3.13', minor: '3.13', libc: 'musl', headers: true, complete: true } as const

function rig(interpreters: LocalPython[], targets = [CP313]) {
  const clock = manualClock()
  const fake = fakeEngine(() => ({}))
  return { ...fake, clock, images: createInterpreterImages({ engine: fake.engine, interpreters, targets, cpu: 'x86_64', clock, log: pino({ level: 'silent' }) }) }
}

test('each CPython with headers is a target, and the settings\' others are not', async () => {
  const { images } = rig([GLIBC_311, { ...GLIBC_313, minor: '3.12', headers: false }, { ...GLIBC_313, minor: '3.9', complete: false }], [CP313, target('cp311-musllinux_1_2_aarch64'), target('cp311-musllinux_1_1_x86_64')])
  expect([...(await images.targets()).keys()]).toEqual([CP311.name])
})

test('what compiles is of glibc where there is one, and what tries is of musl', async () => {
  const { images, asked } = rig([MUSL_313, GLIBC_313])
  expect(await images.ready(CP313, { languages: 'c++' })).toMatchObject({ bundles: false, clean: { ref: '/c/python3.13' } })
  expect(asked).toEqual([
    { kind: 'interpreter', python: '/b/python3.13', compiles: { target: 'x86_64-linux-musl', languages: 'c++' } }, { kind: 'interpreter', python: '/c/python3.13' },
  ])
})

test('without a CPython of musl and the same version there is no clean image', async () => {
  expect(await rig([GLIBC_311, MUSL_313, { ...MUSL_313, minor: '3.11', complete: false }]).images.ready(CP311, { languages: 'c' })).toMatchObject({ clean: undefined })
})

test('a Python of musl builds where it is the only one', async () => {
  expect(await rig([MUSL_313]).images.ready(CP313, { languages: 'c' })).toMatchObject({ builder: { ref: '/c/python3.13 for c' }, clean: { ref: '/c/python3.13' } })
})

test('a target without an interpreter is refused, with where to read more', async () => {
  await expect(rig([GLIBC_311]).images.ready(CP313, { languages: 'c' })).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringMatching(/CPython 3\.13 .*doctor/) })
})

test('a target whose toolchain cannot be had is withdrawn for ten minutes', async () => {
  const { images, absent, clock } = rig([GLIBC_313])
  absent.add('/b/python3.13 for c')
  await expect(images.ready(CP313, { languages: 'c' })).rejects.toMatchObject({ code: 'image-unavailable' })
  expect((await images.targets()).size).toBe(0)
  await clock.advance(10 * 60_000)
  expect((await images.targets()).size).toBe(1)
})

test('only C and C++ are compiled', () => {
  expect(rig([GLIBC_313]).images.languages).toEqual(['c', 'c++', 'cython'])
})
