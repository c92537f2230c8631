import { execa } from 'execa'
import { expect, test } from 'vitest'
import about from '../../package.json' with { type: 'json' }
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'

test('--version and --help go to standard output', async () => {
  const version = testContext()
  expect(await run(['--version'], version)).toBe(0)
  expect(version.printed).toEqual([about.version])
  const help = testContext()
  expect(await run(['serve', '--help'], help)).toBe(0)
  expect(help.printed.join('\n')).toMatch(/--limits-memory <SIZE>/)
})

test.each([
  [['serv'], 'Did you mean serve?'],
  [['serve', '--prot', '1'], 'Did you mean --port?'],
  [['serve', 'extra'], 'too many arguments'],
  [['serve', '--port', 'http'], 'muslin: A setting cannot be used: port is "http", set by --port'],
  [[], 'Usage: muslin'],
])('%j is a usage error', async (words, said) => {
  const context = testContext()
  expect(await run(words, context)).toBe(3)
  expect(context.warned.join('\n')).toContain(said)
  expect(context.printed).toEqual([])
})

test('the program is its own entry', async () => {
  const { exitCode, stdout, stderr } = await execa('./muslin', ['serve', '--port', 'x'], { env: { PATH: process.env['PATH'] ?? '' }, extendEnv: false, reject: false })
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 3, stdout: '', stderr: 'muslin: A setting cannot be used: port is "x", set by --port; accepted: a whole number from 0 to 65535',
  })
})
