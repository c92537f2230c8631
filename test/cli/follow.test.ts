import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from '../../src/cli/context.ts'
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'
import { BUILT, FAILED, job } from './samples.ts'
import { events, type ScriptedServer, scriptedServer } from './scripted-server.ts'

let server: ScriptedServer
beforeEach(async () => { server = await scriptedServer() })
afterEach(() => server.close())

async function muslin(words: string[], parts: Partial<Context> = {}) {
  const context = testContext(parts)
  const exit = await run([...words, '--server', server.url], context)
  return { exit, out: context.printed, err: context.warned }
}

const JOB = 'GET /api/v1/jobs/12'
const LOG = 'GET /api/v1/builds/7/log'
const END = { event: 'end', data: {} }

describe('job --follow', () => {
  test('prints the log of a job that has ended, and how it ended', async () => {
    server.on(JOB, { json: job(BUILT) })
    server.on(LOG, events([{ id: 10, data: { text: 'one\ntwo\n' } }, { id: 15, data: { text: 'three\n' } }, END]))
    expect(await muslin(['job', '12', '--follow'])).toEqual({
      exit: 0, err: [],
      out: ['one\ntwo', 'three', `built  ${BUILT.wheel?.filename} (2.3 MB) in 41 s`, `       ${server.url}/files/b/lxml.whl`],
    })
  })

  test('ends with 2 where it failed, with cause and remedy', async () => {
    server.on(JOB, { json: job(FAILED) })
    server.on(LOG, events([END]))
    const { exit, out } = await muslin(['job', '12', '--follow'])
    expect(exit).toBe(2)
    expect(out).toEqual([
      'failed  lxml 5.3.0 for cp313-musllinux_1_2_x86_64 in 4 s: needs header ffi.h',
      '  remedy  use a builder image that holds it', `  log     ${server.url}/b/7`, '  again   muslin retry 12 --follow',
    ])
  })

  test('goes on where a connection was cut, and in the next run of a job that was given back', async () => {
    server.on('GET /api/v1/events', events([{ event: 'changed' , data: {} }]))
    server.on(JOB, { json: job({ ahead: 2 }) }, { json: job({ ahead: 2 }) }, { json: job({ state: 'running', build: 7 }) }, { json: job({ build: 7, ahead: 0 }) },
      { json: job({ build: 7, ahead: 0 }) }, { json: job({ state: 'running', build: 8 }) }, { json: job({ ...BUILT, build: 8 }) })
    server.on(LOG, events([{ id: 4, data: { text: 'one\n' } }, { id: 6 }], { cut: true }), events([{ id: 8, data: { text: 'two\n' } }, END]))
    server.on('GET /api/v1/builds/8/log', events([{ id: 4, data: { text: 'again\n' } }, END]))
    const { exit, out, err } = await muslin(['job', '12', '--follow'])
    expect(exit).toBe(0)
    expect(out.slice(0, 3)).toEqual(['one', 'two', 'again'])
    expect(err).toEqual([`job 12: lxml 5.3.0 for cp313-musllinux_1_2_x86_64, ${server.url}/ui/jobs/12`, 'job 12 waits: 2 jobs before it', 'job 12 waits: it is next', 'run 8 of job 12:'])
    expect(server.asked.filter(({ path }) => path.endsWith('/7/log')).map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '6'])
  })

  test('does not print the old run of a job that is queued again', async () => {
    server.on('GET /api/v1/events', events([]))
    server.on(JOB, { json: job({ build: 6 }) }, { json: job({ build: 6 }) }, { json: job({ state: 'running', build: 7 }) }, { json: job(BUILT) })
    server.on(LOG, events([{ id: 4, data: { text: 'new\n' } }, END]))
    const { out } = await muslin(['job', '12', '--follow'])
    expect(out[0]).toBe('new')
    expect(server.asked.some(({ path }) => path.includes('builds/6'))).toBe(false)
  })

  test('says what the job waits for, each time that this is another thing', async () => {
    const waitsFor = [{ job: 13, project: 'numpy', version: '2.3.5', requirement: 'numpy>=2' }]
    server.on('GET /api/v1/events', events([{ event: 'changed', data: {} }]))
    server.on(JOB, { json: job({ ahead: 1 }) }, { json: job({ ahead: 1 }) }, { json: job({ ahead: 1, waitsFor }) }, { json: job({ ahead: 0, waitsFor }) }, { json: job({ ahead: 0 }) }, { json: job({ ahead: 0, paused: 'builds are paused: the disk' }) }, { json: job(BUILT) })
    server.on(LOG, events([END]))
    const { err } = await muslin(['job', '12', '--follow'])
    expect(err.filter((line) => line.startsWith('job 12 waits'))).toEqual(['job 12 waits: 1 job before it', 'job 12 waits for numpy 2.3.5 (job 13)', 'job 12 waits: it is next', 'job 12 waits: builds are paused: the disk'])
  })

  test('gives up where the server stays away', async () => {
    server.on(JOB, { json: job({ state: 'running', build: 7 }) })
    server.on(LOG, { status: 502, json: {} })
    expect(await muslin(['job', '12', '--follow'])).toMatchObject({ exit: 1, err: [expect.any(String), expect.stringContaining('answers with 502')] })
  })

  test('keeps colours for a terminal alone, and nothing else that one would obey', async () => {
    server.on(JOB, { json: job(BUILT) })
    server.on(LOG, events([{ id: 10, data: { text: '\x1b[31mre' } }, { id: 12, data: { text: 'd\x1b[0m\x1b[2J \x1b]0;ow' } }, { id: 20, data: { text: 'ned\x07end\n' } }, END]))
    const terminal = { output: true, error: true, columns: () => 80 }
    expect((await muslin(['job', '12', '--follow'])).out[0]).toBe('red end')
    expect((await muslin(['job', '12', '--follow'], { terminal })).out[0]).toBe('\x1b[31mred\x1b[0m end\x1b[0m')
    expect((await muslin(['job', '12', '--follow'], { terminal, env: { NO_COLOR: '1' } })).out[0]).toBe('red end')
  })

  test('with --json it is one document, and the log goes to standard error', async () => {
    server.on(JOB, { json: job(BUILT) })
    server.on(LOG, events([{ id: 10, data: { text: 'one\n' } }, END]))
    const { out, err } = await muslin(['job', '12', '--follow', '--json'])
    expect(JSON.parse(out.join('\n'))).toEqual({ jobs: [job(BUILT)] })
    expect(err[0]).toBe('one')
  })
})

describe('a signal', () => {
  test('leaves the job running, and says how to look at it and how to end it', async () => {
    let signal = (_name: string): void => undefined
    let listening = true
    const context = testContext({ onSignal: (heard) => { signal = heard; return () => { listening = false } } })
    server.on(JOB, { json: job({ state: 'running', build: 7 }) })
    server.on(LOG, (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('id: 4\ndata: {"text":"one\\n"}\n\n')
    })
    const exit = run(['job', '12', '--follow', '--server', server.url], context)
    while (!context.printed.includes('one')) await new Promise((resolve) => setImmediate(resolve))
    signal('SIGINT')
    expect(await exit).toBe(130)
    expect(listening).toBe(false)
    expect(context.warned.at(-1)).toBe('job 12 goes on at the server: muslin job 12 --follow shows it, muslin cancel 12 ends it')
    expect(server.asked.some(({ method }) => method === 'POST')).toBe(false)
  })
})

describe('build', () => {
  test('orders what its words say, and follows each job in turn', async () => {
    const order = { project: 'lxml', version: '5.3.0', targets: ['a', 'b'], publish: false }
    server.on('POST /api/v1/jobs', { status: 201, json: { jobs: [job({ state: 'running', build: 7, kind: 'trial' }), job({ id: 13, ...BUILT })] } })
    server.on(JOB, { json: job({ ...FAILED, kind: 'trial' }) })
    server.on(LOG, events([{ id: 4, data: { text: 'x\n' } }, END]))
    const { exit, out } = await muslin(['build', 'lxml==5.3.0', '--target', 'a', '--target', 'b', '--no-publish'])
    expect(JSON.parse(server.asked[0]!.body)).toEqual(order)
    expect(exit).toBe(2)
    expect(out.map((line) => line.split(' ')[0])).toEqual(['x', 'failed', '', '', '', 'built', ''])
    expect(server.asked.some(({ path }) => path === '/api/v1/jobs/13')).toBe(false)
  })

  test('asks for nothing that was not said', async () => {
    server.on('POST /api/v1/jobs', { status: 201, json: { jobs: [job(BUILT)] } })
    expect((await muslin(['build', 'lxml'])).exit).toBe(0)
    expect(JSON.parse(server.asked[0]!.body)).toEqual({ project: 'lxml' })
  })

  test.each(['lxml>=5', 'lxml==', '-e', 'a b', 'lxml[html]==5'])('takes no %j', async (word) => {
    expect(await muslin(['build', word])).toMatchObject({ exit: 3, out: [] })
    expect(server.asked).toEqual([])
  })
})
