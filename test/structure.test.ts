import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findUpstream } from '../src/config/default-upstream.ts'
import { readSources, violations } from '../tools/structure.ts'

const ROOT = join(import.meta.dirname, '..')

test('src keeps the rules', () => {
  expect(violations(readSources(join(ROOT, 'src')))).toEqual([])
})

describe('the rules see', () => {
  test.each<[string, string, string]>([
    ['domain/a.ts', `import { readFile } from 'node:fs'`, 'imports node:fs, but the domain is pure'],
    ['domain/a.ts', `import type { Store } from '../services/ports.ts'`, 'domain may import only domain, errors.ts'],
    ['domain/a.ts', 'const now = Date.now()', 'is not pure: const now = Date.now()'],
    ['domain/a.ts', 'const at = new Date()', 'is not pure'],
    ['domain/a.ts', 'const dice = Math.random() * 6', 'is not pure'],
    ['domain/a.ts', `const home = process.env['HOME']`, 'is not pure'],
    ['domain/a.ts', `return Buffer.from(text)`, 'is not pure'],
    ['storage/a.ts', `import { createUpstream } from '../upstream/upstream.ts'`, 'imports src/upstream/upstream.ts'],
    ['engine/a.ts', `import { createFiles } from '../services/files.ts'`, 'imports src/services/files.ts'],
    ['storage/sqlite/a.ts', `export * from '../../engine/docker.ts'`, 'imports src/engine/docker.ts'],
    ['http/routes/a.ts', `import type { Row } from '../../storage/rows.ts'`, 'imports src/storage/rows.ts'],
    ['services/a.ts', `const { createApp } = await import('../http/app.ts')`, 'imports src/http/app.ts'],
    ['services/a.ts', `import {\n  one,\n  two,\n} from '../config/load.ts'`, 'imports src/config/load.ts'],
    ['cli/a.ts', `import { compose } from '../compose.ts'`, 'imports src/compose.ts'],
    ['services/a.ts', `import '../../test/lab.ts'`, 'lies outside of src'],
    ['helpers/a.ts', `import { b } from './b.ts'`, 'stands in no part'],
    ['http/a.ts', 'const a = 1\n'.repeat(251), 'is longer than 250 lines'],
    ['http/a.ts', `import { createServer, type Server } from 'node:http'`, 'imports node:http or @koa/router, and WebSocket with it'],
    ['http/a.ts', `import Router from '@koa/router'`, 'imports node:http or @koa/router, and WebSocket with it'],
    ['cli/a.ts', `const { get } = await import('node:https')`, 'imports node:http or @koa/router, and WebSocket with it'],
  ])('%s: %j', (file, text, said) => {
    expect(violations({ [file]: text }).join('\n')).toContain(said)
  })

  test('files that import each other', () => {
    const sources = { 'http/a.ts': `import { b } from './b.ts'`, 'http/b.ts': `import { c } from './c/c.ts'`, 'http/c/c.ts': `import { a } from '../a.ts'` }
    expect(violations(sources)).toEqual(['these files import each other: src/http/a.ts → src/http/b.ts → src/http/c/c.ts → src/http/a.ts'])
  })

  test('but not what is allowed, nor comments, strings and names that only look alike', () => {
    expect(violations({
      'domain/a.ts': `import { b } from './b.ts'\n// Date.now() is not for us\n/* import 'node:fs' */\nconst text = 'process.env'\nconst day = new Date(0)\nstep.process.next()`,
      'domain/b.ts': `import { MuslinError } from '../errors.ts'`,
      'errors.ts': '',
      'http/a.ts': `import { b } from '../domain/b.ts'\nimport Koa from 'koa'\nimport type { Server } from 'node:http'\nimport { request } from 'undici'\nconst name = 'node:http'`,
      'cli/a.ts': `import about from '../../package.json' with { type: 'json' }`,
    })).toEqual([])
  })
})

test('no file names the index that this machine\'s pip uses', async ({ skip }) => {
  const found = await findUpstream({ setting: undefined }).catch(() => undefined)
  const host = found && new URL(found.url).hostname
  // A machine without pip, or with an index of its own under a plain name, can tell nothing.
  if (host === undefined || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host) || !existsSync(join(ROOT, '.git'))) return skip('this machine has no index to look for')
  expect(trackedFiles().filter((file) => readFileSync(file, 'latin1').includes(host))).toEqual([])
})

function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
  return listed.split('\0').filter((file) => file !== '').map((file) => join(ROOT, file)).filter((file) => existsSync(file))
}
