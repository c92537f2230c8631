import { describe, expect, test } from 'vitest'
import { parseWheelFilename } from '../../src/domain/filename.ts'
import { builtFilename, wheelFits } from '../../src/domain/tags.ts'
import { parseTarget } from '../../src/domain/target.ts'
import vectors from './vectors/tags.json' with { type: 'json' }

const target = parseTarget(vectors.target)!
const wheel = (tag: string) => parseWheelFilename(`foo-1.0-${tag}.whl`)!

describe('as a musl CPython 3.13 says itself', () => {
  test.each(vectors.accepted)('%s fits', (tag) => expect(wheelFits(wheel(tag), target)).toBe(true))

  test.each(Object.entries(vectors.fits))('%s with every platform', (tags, bits) => {
    const fitting = vectors.platforms.filter((platform) => wheelFits(wheel(`${tags}-${platform}`), target))
    expect(fitting).toEqual(vectors.platforms.filter((_, i) => bits[i] === '1'))
  })
})

test('another CPU and an older musl take fewer', () => {
  const old = parseTarget('cp39-musllinux_1_1_aarch64')!
  expect(wheelFits(wheel('cp39-cp39-musllinux_1_1_aarch64'), old)).toBe(true)
  expect(wheelFits(wheel('cp39-cp39-musllinux_1_2_aarch64'), old)).toBe(false)
  expect(wheelFits(wheel('cp39-cp39-musllinux_1_1_x86_64'), old)).toBe(false)
  expect(wheelFits(wheel('cp310-abi3-musllinux_1_1_aarch64'), old)).toBe(false)
})

describe('names of our wheels', () => {
  test.each([
    ['PyYAML', '6.0', 1, 'pyyaml-6.0-1-cp313-cp313-musllinux_1_2_x86_64.whl'],
    ['zope.interface', '5.0-post1', 12, 'zope_interface-5.0.post1-12-cp313-cp313-musllinux_1_2_x86_64.whl'],
    ['a-b_c', 'v1.0+Deb-1', 2, 'a_b_c-1.0+deb.1-2-cp313-cp313-musllinux_1_2_x86_64.whl'],
  ])('%s %s under number %i', (project, version, number, name) => {
    expect(builtFilename(project, version, number, target)).toBe(name)
    expect(wheelFits(parseWheelFilename(name)!, target)).toBe(true)
    expect(parseWheelFilename(name)).toMatchObject({ build: String(number) })
  })

  test('before 3.8 the ABI tag ends in m', () => {
    const old = parseTarget('cp37-musllinux_1_1_x86_64')!
    expect(builtFilename('foo', '1', 1, old)).toBe('foo-1-1-cp37-cp37m-musllinux_1_1_x86_64.whl')
    expect(wheelFits(wheel('cp37-cp37m-musllinux_1_1_x86_64'), old)).toBe(true)
  })
})
