import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'

const FILE = readFileSync(new URL('../../docker/compose.yaml', import.meta.url), 'utf8')

/** What a service of the compose file gets where it is started with `env`. */
function passed(env: Record<string, string>): Record<string, string> {
  const settings = FILE.matchAll(/^ +(MUSLIN_\w+): \$\{(\w+):-\}$/gm)
  return Object.fromEntries([...settings].map(([, name = '', variable = '']) => [name, env[variable] ?? '']))
}

function load(env: Record<string, string>) {
  return loadSettings({ flags: {}, env, cwd: import.meta.dirname, machine: { cores: 2, memory: 4 * 1024 ** 3, cpu: 'x86_64', pythons: ['3.13'] } })
}

test('the names under which it is reached are passed on', () => {
  const settings = load(passed({ MUSLIN_PUBLICURL: 'https://wheels.example/', MUSLIN_ALLOWEDHOSTS: 'one.example,two.example' }))
  expect(settings).toMatchObject({ publicUrl: 'https://wheels.example/', allowedHosts: ['one.example', 'two.example'] })
})

test('what is not given is left to its default', () => {
  expect(load(passed({}))).toEqual(load({}))
})
