import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { whyFailed } from '../../src/builder/why.ts'

const bounds = { step: 'build', memory: 2 ** 30, disk: 2 ** 26, processes: 512 } as const
const LOG = 'x.c:1:10: fatal error: ffi.h: No such file or directory\n'

test('a run that met a limit is told by that, whatever it wrote', async () => {
  expect(await whyFailed({ peakBytes: 1, oomKills: 1, exceeded: 'disk' }, LOG, bounds)).toEqual({ class: 'out-of-memory', key: 'build, 1024 MiB' })
  expect(await whyFailed({ peakBytes: 1, oomKills: 0, exceeded: 'disk' }, LOG, bounds)).toEqual({ class: 'out-of-disk', key: 'build, 64 MiB' })
  expect(await whyFailed({ peakBytes: 1, oomKills: 0, exceeded: 'processes' }, LOG, bounds)).toEqual({ class: 'build-failed', key: 'all 512 processes in use' })
  expect(await whyFailed({ peakBytes: 1, oomKills: 0 }, LOG, bounds)).toEqual({ class: 'missing-header', key: 'ffi.h' })
})

test('others go on while megabytes of errors are read', async () => {
  let turns = 0
  let read = false
  const why = whyFailed({ peakBytes: 1, oomKills: 0 }, 'fatal error:\n'.repeat(50_000), bounds).finally(() => { read = true })
  while (!read) {
    await setImmediate()
    turns += 1
  }
  expect(await why).toMatchObject({ class: 'build-failed' })
  expect(turns).toBeGreaterThan(40)
})
