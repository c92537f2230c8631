import { expect, test } from 'vitest'
import { parseWheelFilename } from '../../src/domain/filename.ts'
import { supportedTags, wheelRank } from '../../src/domain/tag-order.ts'
import { wheelFits } from '../../src/domain/tags.ts'
import { parseTarget } from '../../src/domain/target.ts'
import vectors from './vectors/tags.json' with { type: 'json' }

const target = parseTarget(vectors.target)!
const wheel = (tags: string) => parseWheelFilename(`foo-1.0-${tags}.whl`)!

test('the tags and their order are those of a musl CPython 3.13 itself', () => {
  expect(supportedTags(target)).toEqual(vectors.order)
})

test('a wheel counts by its best tag', () => {
  expect(wheelRank(wheel('py2.py3-none-any'), target)).toBe(vectors.order.indexOf('py3-none-any'))
  expect(wheelRank(wheel('cp311-abi3-musllinux_1_1_x86_64.musllinux_1_2_x86_64'), target)).toBe(vectors.order.indexOf('cp311-abi3-musllinux_1_2_x86_64'))
  expect(wheelRank(wheel('cp313-cp313-musllinux_1_2_x86_64'), target)).toBe(0)
})

test('it has a place exactly if it fits', () => {
  for (const tags of Object.keys(vectors.fits)) {
    for (const platform of vectors.platforms) {
      const named = wheel(`${tags}-${platform}`)
      expect(wheelRank(named, target) !== undefined, `${tags}-${platform}`).toBe(wheelFits(named, target))
    }
  }
})

test('older Pythons and lower musl levels have fewer', () => {
  const old = supportedTags(parseTarget('cp37-musllinux_1_1_aarch64')!)
  expect(old.slice(0, 4)).toEqual(['cp37-cp37m-musllinux_1_1_aarch64', 'cp37-cp37m-musllinux_1_0_aarch64', 'cp37-cp37m-linux_aarch64', 'cp37-abi3-musllinux_1_1_aarch64'])
  expect(old.at(-1)).toBe('py30-none-any')
})
