import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Context } from '../../src/cli/context.ts'
import { ERRORS } from '../../src/errors.ts'
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'
import { job } from './samples.ts'
import { type ScriptedServer, scriptedServer } from './scripted-server.ts'

let server: ScriptedServer
beforeEach(async () => { server = await scriptedServer() })
afterEach(() => server.close())

async function muslin(words: string[], parts: Partial<Context> = {}) {
  const context = testContext({ env: { MUSLIN_SERVER: server.url }, ...parts })
  const exit = await run([...words, '--json'], context)
  return { exit, document: JSON.parse(context.printed.join('\n')) as unknown, err: context.warned }
}

const problem = (code: 'not-possible-now' | 'no-such-job', detail: string) => ({ status: ERRORS[code].status, json: { title: ERRORS[code].title, status: ERRORS[code].status, code, detail, link: '/b/7' } })

test('what the server refuses is one document, beside the line for people', async () => {
  server.on('GET /api/v1/jobs/12', problem('no-such-job', 'no job 12, and https://me:secret@index.example is secret'))
  const { exit, document, err } = await muslin(['job', '12'])
  const { title, remedy } = ERRORS['no-such-job']
  expect({ exit, document }).toEqual({ exit: 3, document: { error: { code: 'no-such-job', title, detail: 'no job 12, and https://[redacted]@index.example is secret', remedy, link: '/b/7' } } })
  expect(err).toEqual([`muslin: ${title}: no job 12, and https://[redacted]@index.example is secret`])
})

test('so is a server that is not there', async () => {
  expect(await muslin(['targets'], { env: { MUSLIN_SERVER: 'http://127.0.0.1:1' } })).toMatchObject({ exit: 1, document: { error: { code: 'no-server', link: null } } })
})

test.each([[['job', 'x'], /named by its number/], [['jobs', '--stat', 'x'], /^unknown option '--stat'/], [['plan'], /^missing required argument/]])('so are wrong words: %j', async (words, detail) => {
  expect(await muslin(words)).toMatchObject({ exit: 3, document: { error: { code: 'usage', detail: expect.stringMatching(detail) } } })
})

test('so is an interruption', async () => {
  server.on('POST /api/v1/jobs', { json: { jobs: [job()] } })
  server.on('GET /api/v1/jobs/12', { json: job() })
  const onSignal: Context['onSignal'] = (heard) => {
    const timer = setImmediate(() => heard('SIGINT'))
    return () => clearImmediate(timer)
  }
  expect(await muslin(['build', 'lxml'], { onSignal })).toMatchObject({ exit: 130, document: { error: { code: 'interrupted' } } })
})

test('what was changed before a refusal stands in the same document', async () => {
  server.on('POST /api/v1/jobs/11/cancel', { json: job({ id: 11, state: 'cancelled' }) })
  server.on('POST /api/v1/jobs/12/cancel', problem('not-possible-now', 'job 12 has ended'))
  expect(await muslin(['cancel', '11', '12'])).toMatchObject({
    exit: 3, document: { jobs: [{ id: 11 }], error: { code: 'not-possible-now', detail: 'job 12 has ended' } }, err: [expect.stringContaining('job 12 has ended')],
  })
})
