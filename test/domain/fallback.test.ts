import { expect, test } from 'vitest'
import { hasFallback, isFallback } from '../../src/domain/fallback.ts'
import { parseWheelFilename } from '../../src/domain/filename.ts'
import { parseTarget } from '../../src/domain/target.ts'

const wheel = (tags: string) => parseWheelFilename(`protobuf-5.0-${tags}.whl`)!

test.each([
  ['a pure wheel beside native ones', 'py3-none-any', ['py3-none-any', 'cp310-abi3-win_amd64'], true],
  ['a pure wheel alone', 'py3-none-any', ['py3-none-any'], false],
  ['pure wheels for two Pythons', 'py3-none-any', ['py2-none-any', 'py3-none-any'], false],
  ['a native wheel', 'cp310-abi3-win_amd64', ['py3-none-any', 'cp310-abi3-win_amd64'], false],
])('%s', (_what, tags, release, expected) => {
  expect(isFallback(wheel(tags), release.map(wheel))).toBe(expected)
})

test.each<[string, string[], boolean]>([
  ['a pure one that fits, beside native ones', ['5.0-py3-none-any', '5.0-cp310-abi3-win_amd64'], true],
  ['a pure one alone', ['5.0-py3-none-any'], false],
  ['one for another Python', ['5.0-cp312-none-any', '5.0-cp310-abi3-win_amd64'], false],
  ['native ones of another release', ['5.0-py3-none-any', '5.1-cp310-abi3-win_amd64'], false],
  ['a native one', ['5.0-cp310-abi3-win_amd64'], false],
])('a release that has %s', (_what, wheels, expected) => {
  const files = wheels.map((tags) => ({ filename: `protobuf-${tags}.whl`, url: tags, hashes: {} }))
  expect(hasFallback(files, '5.0.0', parseTarget('cp313-musllinux_1_2_x86_64'))).toBe(expected)
  expect(hasFallback(files.map((file) => ({ ...file, yanked: 'broken' })), '5.0', parseTarget('cp313-musllinux_1_2_x86_64'))).toBe(false)
})
