import { expect, test } from 'vitest'
import { commandLine, lockHashesLine } from '../../src/domain/shell.ts'

test('words that a shell would read otherwise are quoted', () => {
  expect(commandLine(['muslin', 'a b', 'it\'s', '$(x)', '', 'é.txt', 'x/y-1.0+z=1,@2:3%'])).toBe(`muslin 'a b' 'it'\\''s' '$(x)' '' 'é.txt' x/y-1.0+z=1,@2:3%`)
})

test('the flags come along, and no value or name is taken for one', () => {
  expect(lockHashesLine(['uv.lock'], {})).toBe('muslin lock-hashes uv.lock')
  expect(lockHashesLine(['my lock.txt', '-x.txt'], { targets: ['cp313-musllinux_1_2_x86_64'], extras: ['a', '-b'], groups: ['dev tools'] }))
    .toBe(`muslin lock-hashes --target cp313-musllinux_1_2_x86_64 --extra a --extra=-b --group 'dev tools' 'my lock.txt' ./-x.txt`)
})
