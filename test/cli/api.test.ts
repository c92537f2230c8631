import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'
import { job } from './samples.ts'
import { type ScriptedServer, scriptedServer } from './scripted-server.ts'

let server: ScriptedServer
beforeEach(async () => { server = await scriptedServer() })
afterEach(() => server.close())

async function muslin(...words: string[]) {
  const context = testContext()
  const exit = await run([...words, '--server', server.url], context)
  return { exit, out: context.printed.join('\n'), err: context.warned.join('\n') }
}

const problem = (code: string, status: number, detail: string) => ({ status, json: { title: 'T', status, detail, code } })

describe('what a server refuses', () => {
  test.each<[string, string, number, number]>([
    ['no-such-job', 'The detail, with a remedy', 404, 3],
    ['no-builder', 'No builder is ready', 424, 1],
    ['a-new-code', 'What a newer server says', 400, 1],
  ])('is said in its words, with the exit code of its kind: %s', async (code, detail, status, exit) => {
    server.on('GET /api/v1/jobs/12', problem(code, status, detail))
    expect(await muslin('job', '12')).toMatchObject({ exit, out: '', err: expect.stringContaining(detail) })
  })

  test('for want of a token says where there is one', async () => {
    server.on('POST /api/v1/jobs/12/cancel', problem('token-needed', 401, 'log in at /ui/login'))
    expect(await muslin('cancel', '12')).toMatchObject({ exit: 3, err: expect.stringMatching(/no token for .* was found; give it by --token or MUSLIN_TOKEN.*admin-token/) })
    expect(await muslin('cancel', '12', '--token', 'wrong')).toMatchObject({ exit: 3, err: expect.stringMatching(/does not take the token from --token; give the right one/) })
  })

  test('of several jobs keeps nothing from the others', async () => {
    server.on('POST /api/v1/jobs/1/cancel', problem('not-possible-now', 409, 'job 1 was built'))
    server.on('POST /api/v1/jobs/2/cancel', { json: job({ id: 2, state: 'cancelled' }) })
    expect(await muslin('cancel', '1', '2', '2')).toMatchObject({ exit: 3, out: expect.stringMatching(/^job 2 is cancelled: lxml 5.3.0 for /), err: expect.stringContaining('job 1 was built') })
    expect(server.asked.map(({ path }) => path)).toEqual(['/api/v1/jobs/1/cancel', '/api/v1/jobs/2/cancel'])
  })
})

describe('what is no Muslin', () => {
  test.each<[string, Parameters<ScriptedServer['on']>[1], RegExp]>([
    ['another page', (response) => { response.writeHead(404).end('<html>') }, /answers with 404, and not as Muslin does; check --server/],
    ['a proxy without its server', (response) => { response.writeHead(502).end('Bad Gateway') }, /answers with 502/],
    ['a redirect', (response) => { response.writeHead(301, { location: 'https://muslin.example/' }).end() }, /redirects to https:\/\/muslin\.example\/: give --server/],
    ['other JSON', { json: { targets: [{ name: 7 }] } }, /does not understand \(targets\.0\.name: .*use the muslin of that server's version/],
    ['no JSON', (response) => { response.writeHead(200).end('{"targets":') }, /does not understand \(all: /],
    ['a cut answer', (response) => { response.writeHead(200, { 'content-length': 100 }).write('{'); setImmediate(() => response.destroy()) }, /the connection was cut/],
  ])('%s is told from a server', async (_what, answer, said) => {
    server.on('GET /api/v1/targets', answer)
    expect(await muslin('targets')).toMatchObject({ exit: 1, out: '', err: expect.stringMatching(said) })
  })

  test('nothing there', async () => {
    const context = testContext()
    const { url } = server
    await server.close()
    expect(await run(['jobs', '--server', url], context)).toBe(1)
    expect(context.warned).toEqual([`muslin: The server cannot be reached: ${url}/: nothing listens there; start the server (npm start), or name it by --server URL or MUSLIN_SERVER`])
    server = await scriptedServer()
  })
})

test('what strangers wrote cannot steer a terminal', async () => {
  server.on('GET /api/v1/jobs?limit=50', { json: { jobs: [job({ project: 'a\x1b]0;owned\x07b', askedBy: 'x\r\n\u202efake\x1b[2J', state: 'failed', failure: { class: 'x', cause: '\x1b[31mred\nsecond', remedy: '', apks: [], job: null } })] } })
  const { out } = await muslin('jobs')
  expect(out).not.toMatch(/[\x1b\r\u202e]/)
  expect(out.split('\n')).toHaveLength(2)
  expect(out).toContain('red second')
})

test('a path before the server and credentials for a proxy are kept, and never printed', async () => {
  server.on('GET /muslin/api/v1/targets', { json: { targets: [] } })
  const context = testContext()
  expect(await run(['targets', '--server', `${server.url.replace('//', '//me:sec%20ret@')}/muslin`], context)).toBe(0)
  expect(server.asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:sec ret').toString('base64')}`)
  const failing = testContext()
  expect(await run(['jobs', '--server', 'http://me:secret@127.0.0.1:1'], failing)).toBe(1)
  expect(failing.warned.join()).not.toContain('secret')
})
