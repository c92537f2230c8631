import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../src/main.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { testContext } from './context.ts'
import { type ScriptedServer, scriptedServer } from './scripted-server.ts'

let server: ScriptedServer
let folder: string
let remove: () => Promise<void>
beforeEach(async () => {
  server = await scriptedServer()
  ;({ folder, remove } = await temporaryFolder())
  server.on('GET /api/v1/targets', { json: { targets: [] } })
})
afterEach(async () => { await server.close(); await remove() })

/** What the server was shown when it was asked for its targets. */
async function shown(words: string[], env: Record<string, string> = {}): Promise<string | undefined> {
  const context = testContext({ cwd: folder, env })
  expect(await run(['targets', ...words], context), context.warned.join()).toBe(0)
  return server.asked.at(-1)?.headers.authorization
}

test('server and token are found in the data folder', async () => {
  await writeFile(join(folder, 'server.json'), JSON.stringify({ url: server.url, scheme: 'http', port: 1, pid: 1, instance: 'x' }))
  await writeFile(join(folder, 'admin-token'), 'muslin-kept\n')
  expect(await shown(['--data', '.'])).toBe('Bearer muslin-kept')
  expect(await shown([], { MUSLIN_DATA: folder })).toBe('Bearer muslin-kept')
  expect(await shown(['--data', '.'], { MUSLIN_TOKEN: 'muslin-variable' })).toBe('Bearer muslin-variable')
  expect(await shown(['--data', '.', '--token', 'muslin-flag'], { MUSLIN_TOKEN: 'muslin-variable' })).toBe('Bearer muslin-flag')
  expect(await shown(['--data', '.', '--server', server.url])).toBe('Bearer muslin-kept')
})

test('the data folder\'s token goes to no other server', async () => {
  await writeFile(join(folder, 'server.json'), JSON.stringify({ url: 'http://localhost:1', scheme: 'http', port: 1, pid: 1, instance: 'x' }))
  await writeFile(join(folder, 'admin-token'), 'muslin-kept\n')
  expect(await shown(['--data', '.', '--server', server.url])).toBeUndefined()
  expect(await shown(['--data', '.'], { MUSLIN_SERVER: server.url })).toBeUndefined()
})

test('a token that is not there is not missed by who only reads', async () => {
  await writeFile(join(folder, 'server.json'), JSON.stringify({ url: server.url, scheme: 'http', port: 1, pid: 1, instance: 'x' }))
  expect(await shown(['--data', '.'])).toBeUndefined()
})

test.each([
  [['--token', 'two words'], 'the token from --token is none'],
  [['--server', 'localhost:8080'], 'the server from --server is no http or https URL'],
  [['--data', 'nowhere', '--server', ''], 'the server from --server is no http or https URL'],
])('%j is a usage error', async (words, said) => {
  const context = testContext({ cwd: folder })
  expect(await run(['targets', '--server', server.url, ...words], context)).toBe(3)
  expect(context.warned.join()).toContain(said)
  expect(server.asked).toEqual([])
})
