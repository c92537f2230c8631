import { expect, test } from 'vitest'
import type { Check } from '../../src/cli/context.ts'
import type { Settings } from '../../src/config/settings.ts'
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'

const OK: Check = { state: 'ok', name: 'node', found: '26.10.0', remedy: undefined }
const WARN: Check = { state: 'warn', name: 'disk', found: '1.0 GB free', remedy: 'make room' }
const FAIL: Check = { state: 'fail', name: 'upstream', found: 'nothing listens', remedy: 'check it' }

async function doctor(checks: Check[], ...words: string[]) {
  let settings: Settings | undefined
  const context = testContext({ doctor: async (given) => { settings = given; return checks } })
  const exit = await run(['doctor', ...words], context)
  return { exit, out: context.printed, err: context.warned, settings }
}

test('each check is a line; only what fails makes the command fail', async () => {
  expect(await doctor([OK, WARN])).toMatchObject({ exit: 0, err: [], out: ['ok    node  26.10.0', 'warn  disk  1.0 GB free — make room'] })
  expect(await doctor([OK, FAIL])).toMatchObject({ exit: 1, err: [], out: ['ok    node      26.10.0', 'fail  upstream  nothing listens — check it'] })
})

test('--json is one document', async () => {
  const { exit, out } = await doctor([OK, FAIL], '--json')
  expect(exit).toBe(1)
  expect(JSON.parse(out.join('\n'))).toEqual({ ok: false, checks: [{ ...OK, remedy: null }, FAIL] })
})

test('it takes the settings that matter', async () => {
  const { settings } = await doctor([], '--data', 'd', '--builder', 'embedded', '--python', '/a', '--python', '/b', '--isolation', 'none', '--upstream', 'https://upstream.example/simple/')
  expect(settings).toMatchObject({ data: 'd', builder: 'embedded', python: ['/a', '/b'], isolation: 'none', upstream: ['https://upstream.example/simple/'] })
  expect((await doctor([], '--workers', '2')).exit).toBe(3)
})
