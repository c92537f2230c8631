import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'
import { BUILT, FAILED, job, TARGET } from './samples.ts'
import { type ScriptedServer, scriptedServer } from './scripted-server.ts'

let server: ScriptedServer
beforeEach(async () => { server = await scriptedServer() })
afterEach(() => server.close())

async function muslin(...words: string[]) {
  const now = Date.parse('2026-11-21T12:05:00Z')
  const context = testContext({ clock: { now: () => now, sleep: async () => undefined } })
  const exit = await run([...words, '--server', server.url], context)
  return { exit, out: context.printed, err: context.warned }
}

test('jobs are a table', async () => {
  server.on('GET /api/v1/jobs?state=failed&project=lxml&limit=2', { json: { jobs: [job({ ...FAILED, id: 104 }), job({ state: 'running', step: 'build', kind: 'trial', seconds: 3 })] } })
  expect(await muslin('jobs', '--state', 'failed', '--project', 'LXML', '--limit', '2')).toEqual({ exit: 0, err: [], out: [
    `job  state            project  version  target${' '.repeat(TARGET.length + 8 - 6)}  took  asked`,
    `104  failed           lxml     5.3.0    ${TARGET}           4 s  5 min ago by 127.0.0.1; needs header ffi.h`,
    ` 12  running (build)  lxml     5.3.0    ${TARGET} (trial)   3 s  5 min ago by 127.0.0.1`,
  ] })
})

test('no job is no table', async () => {
  server.on('GET /api/v1/jobs?limit=50', { json: { jobs: [] } })
  expect((await muslin('jobs')).out).toEqual(['no jobs'])
  expect((await muslin('jobs', '--json')).out.join('')).toMatch(/^\{\s*"jobs": \[\]\s*\}$/)
})

test.each([[['--state', 'done'], /Allowed choices are queued/], [['--limit', '0'], /a whole number from 1 to 1000/], [['--limit', '1001'], /from 1 to 1000/]])('%j is a usage error', async (words, said) => {
  expect(await muslin('jobs', ...words)).toMatchObject({ exit: 3, err: [expect.stringMatching(said)] })
})

const STEPS = [
  { step: 'plan', state: 'done', seconds: 0.2, peakBytes: null }, { step: 'fetch', state: 'done', seconds: 1.25, peakBytes: 45_000_000 },
  { step: 'build', state: 'failed', seconds: 2.5, peakBytes: 310_000_000 }, { step: 'publish', state: 'waiting', seconds: null, peakBytes: null },
]

test('a job is shown with cause, remedy, links and steps', async () => {
  const failed = job({ ...FAILED, attempts: 2, retryAt: '2026-11-24T12:00:00Z' })
  const build = { id: 7, job: 12, worker: 'w', startedAt: failed.startedAt, finishedAt: failed.finishedAt, failure: failed.failure, steps: STEPS, record: { limits: {} } }
  server.on('GET /api/v1/jobs/12', { json: failed })
  server.on('GET /api/v1/builds/7', { json: build })
  expect((await muslin('job', '12')).out).toEqual([
    'job 12   failed', 'project  lxml 5.3.0', `target   ${TARGET}`, 'sdist    lxml-5.3.0.tar.gz', 'asked    5 min ago by 127.0.0.1 (asked)', 'runs     2', 'took     4 s',
    'cause    needs header ffi.h', 'remedy   use a builder image that holds it', 'again    by itself at 2026-11-24T12:00:00Z', `log      ${server.url}/b/7`, `page     ${server.url}/ui/jobs/12`,
    '', 'step     state     took  memory', 'plan     done     0.2 s', 'fetch    done     1.3 s   45 MB', 'build    failed   2.5 s  310 MB', 'publish  waiting',
  ])
  expect(JSON.parse((await muslin('job', '12', '--json')).out.join('\n'))).toEqual({ job: failed, build })
})

test('a job that waits for others says for which, and one that is queued when it begins', async () => {
  const waitsFor = [{ job: 13, project: 'numpy', version: '2.3.5', requirement: 'numpy>=2' }]
  server.on('GET /api/v1/jobs/12', { json: job({ waitsFor, ahead: 3 }) }, { json: job({ ahead: 3, startsInSeconds: 125, estimateSeconds: 40 }) }, { json: job({ ...FAILED, build: null, failure: { ...FAILED.failure!, job: 13 } }) })
  expect((await muslin('job', '12')).out.slice(0, 2)).toEqual(['job 12   queued', 'waits    for numpy 2.3.5 (job 13)'])
  expect((await muslin('job', '12')).out[0]).toBe('job 12   queued, 3 before it, begins in about 2 min 5 s; a run takes about 40 s')
  expect((await muslin('job', '12')).out).toContain('of       job 13')
  server.on('GET /api/v1/jobs?limit=50', { json: { jobs: [job({ waitsFor })] } })
  expect((await muslin('jobs')).out[1]).toContain('queued (waits)')
})

test('a built job is shown with its wheel, a queued one with its place', async () => {
  server.on('GET /api/v1/jobs/12', { json: job(BUILT) }, { json: job({ ahead: 3, estimateSeconds: 40 }) })
  server.on('GET /api/v1/builds/7', { json: { id: 7, job: 12, worker: 'w', startedAt: '2026-11-21T12:00:00Z', finishedAt: null, failure: null, steps: [], record: null } })
  expect((await muslin('job', '12')).out).toContain(`wheel    ${BUILT.wheel?.filename} (2.3 MB, tried on musl)`)
  expect((await muslin('job', '12')).out[0]).toBe('job 12   queued, 3 before it; a run takes about 40 s')
})

test('retry queues again; --json is one document', async () => {
  server.on('POST /api/v1/jobs/12/retry', { json: job() })
  expect((await muslin('retry', '12')).out).toEqual([`job 12 is queued again: lxml 5.3.0 for ${TARGET}; muslin job 12 --follow shows it`])
  expect(JSON.parse((await muslin('retry', '12', '--json')).out.join('\n'))).toEqual({ jobs: [job()] })
})

test('targets are a table', async () => {
  server.on('GET /api/v1/targets', { json: { targets: [
    { name: TARGET, python: '3.13', cpu: 'x86_64', ready: true, image: `sha256:${'0123456789ab'.repeat(5)}0123`, configured: true },
    { name: 'cp39-musllinux_1_2_x86_64', python: '3.9', cpu: 'x86_64', ready: false, image: null, configured: false },
  ] } })
  expect((await muslin('targets')).out).toEqual([
    'target                      python  cpu     state                      image',
    `${TARGET}  3.13    x86_64  ready                      0123456789ab`,
    'cp39-musllinux_1_2_x86_64   3.9     x86_64  no worker, not configured',
  ])
})
