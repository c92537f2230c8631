import { expect, test } from 'vitest'
import { isFallback } from '../../src/domain/fallback.ts'
import { parseWheelFilename } from '../../src/domain/filename.ts'

const wheel = (tags: string) => parseWheelFilename(`protobuf-5.0-${tags}.whl`)!

test.each([
  ['a pure wheel beside native ones', 'py3-none-any', ['py3-none-any', 'cp310-abi3-win_amd64'], true],
  ['a pure wheel alone', 'py3-none-any', ['py3-none-any'], false],
  ['pure wheels for two Pythons', 'py3-none-any', ['py2-none-any', 'py3-none-any'], false],
  ['a native wheel', 'cp310-abi3-win_amd64', ['py3-none-any', 'cp310-abi3-win_amd64'], false],
])('%s', (_what, tags, release, expected) => {
  expect(isFallback(wheel(tags), release.map(wheel))).toBe(expected)
})
