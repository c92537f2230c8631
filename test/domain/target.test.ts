import { expect, test } from 'vitest'
import { parseTarget } from '../../src/domain/target.ts'

test('a target is read from its name', () => {
  expect(parseTarget('cp313-musllinux_1_2_x86_64')).toEqual({
    name: 'cp313-musllinux_1_2_x86_64', python: 'cp313', major: 3, minor: 13, musl: { major: 1, minor: 2 }, cpu: 'x86_64',
  })
  expect(parseTarget('cp39-musllinux_1_1_aarch64')).toMatchObject({ python: 'cp39', minor: 9, musl: { major: 1, minor: 1 }, cpu: 'aarch64' })
})

test.each([
  '', 'cp313', 'cp313-musllinux_1_2_', 'cp313t-musllinux_1_2_x86_64', 'pp310-musllinux_1_2_x86_64', 'cp313-manylinux_2_17_x86_64', 'cp313-musllinux_01_2_x86_64',
  'cp313-cp313-musllinux_1_2_x86_64', 'cp313-musllinux_1_2_x86_64/..', 'cp313-musllinux_1_2_X86_64', 'cp03-musllinux_1_2_x86_64', 'cp313-musllinux_1_2_x86_64\n',
])('%j is no target', (text) => expect(parseTarget(text)).toBeUndefined())
