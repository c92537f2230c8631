import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../src/main.ts'
import type { OutdatedLine } from '../../src/services/rebuild-views.ts'
import { testContext } from './context.ts'
import { job, plan, planLine, prebuild, prebuildLine, TARGET } from './samples.ts'
import { type ScriptedServer, scriptedServer } from './scripted-server.ts'

let server: ScriptedServer
beforeEach(async () => { server = await scriptedServer() })
afterEach(() => server.close())

const OLD = 'cp312-musllinux_1_2_x86_64'

async function muslin(...words: string[]) {
  const context = testContext({ clock: { now: () => Date.parse('2026-11-21T12:05:00Z'), sleep: async () => undefined } })
  const exit = await run([...words, '--server', server.url, '--token', 't'], context)
  return { exit, out: context.printed, err: context.warned }
}

const LINE: OutdatedLine = {
  project: 'lxml', version: '5.3.0', target: TARGET, filename: `lxml-5.3.0-1-cp313-${TARGET}.whl`, library: 'libz.so.1', apk: 'zlib', has: '1.3.1-r1', newest: '1.3.1-r2', job: null, state: null,
}

describe('muslin outdated', () => {
  test('lists one line a library, and what cannot be asked', async () => {
    server.on('GET /api/v1/outdated', { json: { outdated: [LINE, { ...LINE, library: 'libxml2.so.2', apk: 'libxml2', job: 8, state: 'queued' }], unreachable: [{ repository: 'apk/v3.21/main', arch: 'x86_64', why: 'nobody answers', since: null }] } })
    const { exit, out, err } = await muslin('outdated')
    expect([exit, err]).toEqual([0, ['muslin: apk/v3.21/main cannot be asked for x86_64, so nothing was compared with it: nobody answers']])
    expect(out).toEqual([
      `wheel${' '.repeat(LINE.filename.length - 5)}  library       apk      has       newest    rebuild`,
      `${LINE.filename}  libz.so.1     zlib     1.3.1-r1  1.3.1-r2`,
      `${LINE.filename}  libxml2.so.2  libxml2  1.3.1-r1  1.3.1-r2  queued (job 8)`,
    ])
  })

  test('with --rebuild has each wheel built anew, once', async () => {
    server.on('GET /api/v1/outdated', { json: { outdated: [LINE, { ...LINE, library: 'libxml2.so.2' }], unreachable: [] } })
    server.on('POST /api/v1/outdated/rebuild', { status: 201, json: { jobs: [job({ kind: 'rebuild', id: 8 })], left: [{ filename: 'b.whl', why: 'no builder is ready' }] } })
    const { exit, out } = await muslin('outdated', '--rebuild')
    expect([exit, out.slice(-3)]).toEqual([0, ['1 rebuild queued', `job 8  lxml 5.3.0 for ${TARGET}`, 'b.whl is left as it is: no builder is ready']])
    expect(JSON.parse(server.asked.at(-1)!.body)).toEqual({ filenames: [LINE.filename] })
  })

  test('says no more than is known', async () => {
    server.on('GET /api/v1/outdated', { json: { outdated: [], unreachable: [{ repository: 'apk/v3.21/main', arch: 'x86_64', why: 'nobody answers', since: '2026-11-20T12:05:00.000Z' }] } })
    const { out, err } = await muslin('outdated')
    expect(err).toEqual(['muslin: apk/v3.21/main cannot be asked for x86_64, so what is newer than its index of 2026-11-20T12:05:00.000Z is not known: nobody answers'])
    expect(out).toEqual(['no wheel is known to carry an outdated library'])
  })

  test('says so where there is none, and asks for no rebuild then', async () => {
    server.on('GET /api/v1/outdated', { json: { outdated: [], unreachable: [] } })
    expect((await muslin('outdated', '--rebuild')).out).toEqual(['no wheel carries an outdated library'])
    expect(JSON.parse((await muslin('outdated', '--json')).out.join(''))).toEqual({ outdated: [], unreachable: [] })
  })
})

describe('muslin rebuild', () => {
  const lines = [planLine(), planLine({ project: 'six', verdict: 'upstream-wheel', sdist: null, estimateSeconds: null })]

  test('tells with --dry-run what it would do', async () => {
    server.on('POST /api/v1/rebuilds/plan', { json: plan(lines) })
    const { exit, out } = await muslin('rebuild', '--target', TARGET, '--like', OLD, '--dry-run')
    expect(exit).toBe(0)
    expect(out.join('\n')).toMatch(/lxml +5\.3\.0/)
    expect(JSON.parse(server.asked.at(-1)!.body)).toEqual({ target: TARGET, like: OLD })
    expect(JSON.parse((await muslin('rebuild', '--target', TARGET, '--like', OLD, '--dry-run', '--json')).out.join('\n'))).toEqual(plan(lines))
  })

  test('queues it, and is a prebuild from then on', async () => {
    const begun = prebuild([prebuildLine(), prebuildLine({ project: 'gone', state: 'cannot', verdict: 'cannot', why: 'the upstream has no such release', remedy: 'r' })], { name: `what ${OLD} uses` })
    server.on('POST /api/v1/rebuilds', { status: 201, json: begun })
    server.on('GET /api/v1/prebuilds/3', { json: { ...begun, done: 1, finished: true, remainingSeconds: null, lines: begun.lines.map((line) => line.state === 'queued' ? { ...line, state: 'built' } : line) } })
    const { exit, out } = await muslin('rebuild', '--target', TARGET, '--like', OLD, '--wait')
    expect([exit, out[0], out.at(-1)]).toEqual([0, `prebuild 3 of what ${OLD} uses: 1 to build, 0 there already, 1 cannot be had:`, 'prebuild 3: 1 of 1 built, 1 cannot be had: the upstream has no such release'])
  })

  test('needs both targets', async () => {
    expect(await muslin('rebuild', '--target', TARGET)).toMatchObject({ exit: 3, err: [expect.stringContaining('--like')] })
  })
})
