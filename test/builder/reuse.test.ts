import { expect, test } from 'vitest'
import { systemToday } from '../../src/builder/reuse.ts'

const SYSTEM = { repositories: ['apk/v3.21/main'], arch: 'x86_64', bundled: [], runtime: ['zlib'] }

test('a result wants of its users\' images what it did when it was built, and what its recipe names by now', () => {
  expect(systemToday({ system: SYSTEM }, { runtimeApks: ['libmagic', 'zlib'] })).toEqual({ system: { ...SYSTEM, runtime: ['libmagic', 'zlib'] } })
  expect(systemToday({ system: SYSTEM }, { runtimeApks: [] })).toEqual({ system: SYSTEM })
  expect(systemToday({ system: undefined }, { runtimeApks: [] })).toEqual({ system: undefined })
})

test('a result of whose system nothing is known is built anew where its recipe names apks by now', () => {
  expect(systemToday({ system: undefined }, { runtimeApks: ['libmagic'] })).toBeUndefined()
})
