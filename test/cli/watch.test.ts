import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from '../../src/cli/context.ts'
import { createNews } from '../../src/cli/waiting-news.ts'
import { endedLine, nothingWaits, waitingLine, waitingTable } from '../../src/cli/watch-text.ts'
import { run } from '../../src/main.ts'
import type { WaitingList, WaitingView } from '../../src/services/waiting-views.ts'
import { AGENTS, makeRig } from '../http/rig.ts'
import { JSON_V1 } from '../synthetic-upstream.ts'
import { testContext } from './context.ts'
import { claimOn, startOn } from './on-rig.ts'
import { BUILT, FAILED, job, TARGET } from './samples.ts'
import { events, type ScriptedServer, scriptedServer } from './scripted-server.ts'

const plain = (_style: string, text: string): string => text
const link = (path: string): string => `http://h/${path}`

function install(parts: Partial<WaitingView> = {}): WaitingView {
  return {
    id: 'one', tool: 'pip', version: '26.3', address: '10.0.0.7', filename: `lxml-5.3.0-1-cp313-${TARGET}.whl`, began: '2026-11-21T12:00:00Z', seconds: 80.4,
    ended: null, endedAt: null, job: job({ state: 'running', step: 'build', build: 7, seconds: 41, estimateSeconds: 71, remainingSeconds: 30 }), ...parts,
  }
}
const list = (waiting: WaitingView[], parts: Partial<WaitingList> = {}): WaitingList => ({ waiting, more: 0, others: 0, ...parts })

describe('the words', () => {
  test('tell of an install who waits for what, how long, and how far its job is', () => {
    expect(waitingLine(install())).toBe(`pip 26.3 at 10.0.0.7 waits for lxml 5.3.0 for ${TARGET}, for 1 min 20 s now: job 12 is running (build, 41 s), about 30 s left`)
    expect(waitingLine(install({ seconds: 0.3, tool: 'other', version: null, job: job({ ahead: 2, startsInSeconds: 125.2 }) })))
      .toBe(`a client at 10.0.0.7 waits for lxml 5.3.0 for ${TARGET}: job 12 is queued (2 before it, begins in about 2 min 5 s)`)
    expect(waitingLine(install({ job: job({ kind: 'metadata', ahead: 0, remainingSeconds: 0 }) }))).toContain('waits for the metadata of lxml 5.3.0')
    expect(waitingLine(install({ job: job({ ahead: 0, remainingSeconds: 0 }) }))).toMatch(/is queued \(next\), a moment left$/)
    const waitsFor = [{ job: 13, project: 'numpy', version: '2.3.5', requirement: 'numpy>=2' }]
    expect(waitingLine(install({ job: job({ ahead: 0, waitsFor }) }))).toMatch(/is queued \(after numpy 2\.3\.5\)$/)
  })

  test('tell how it ended, with the cause and the link', () => {
    const name = `lxml 5.3.0 for ${TARGET}`
    expect(endedLine(install({ ended: 'built', job: job(BUILT) }), link, plain)).toBe(`built  ${name}: pip 26.3 at 10.0.0.7 has it after 1 min 20 s`)
    expect(endedLine(install({ ended: 'failed', job: job(FAILED) }), link, plain)).toBe(`failed  ${name}: needs header ffi.h, see http://h/b/7; pip 26.3 at 10.0.0.7 ended after 1 min 20 s`)
    expect(endedLine(install({ ended: 'still-building' }), link, plain)).toBe(`still building  ${name}, about 30 s left: pip 26.3 at 10.0.0.7 ended after 1 min 20 s, run it again, see http://h/b/7`)
    expect(endedLine(install({ ended: 'left' }), link, plain)).toBe(`left  ${name}: pip 26.3 at 10.0.0.7 went away after 1 min 20 s; job 12 is running (build, 41 s)`)
    expect(endedLine(install({ ended: 'refused' }), link, plain)).toBe(`refused  ${name}: pip 26.3 at 10.0.0.7 was told why after 1 min 20 s; job 12 is running (build, 41 s)`)
    expect(endedLine(install({ ended: 'cancelled', job: job({ state: 'cancelled' }) }), link, plain)).toBe(`cancelled  ${name}; pip 26.3 at 10.0.0.7 ended after 1 min 20 s`)
  })

  test('are a table of those that wait, with what it leaves out', () => {
    const gone = install({ id: 'gone', ended: 'left' })
    expect(waitingTable(list([install(), install({ id: 'two', seconds: 5, tool: 'uv', version: '0.13.9', job: job({ id: 13, project: 'numpy', version: '2.3.5', ahead: 0, kind: 'metadata' }) }), gone]), plain)).toEqual([
      '     waits  project  version           job  state                  left        client                 target',
      `1 min 20 s  lxml     5.3.0              12  running (build, 41 s)  about 30 s  pip 26.3 at 10.0.0.7   ${TARGET}`,
      `       5 s  numpy    2.3.5 (metadata)   13  queued (next)                      uv 0.13.9 at 10.0.0.7  ${TARGET}`,
    ])
    const many = Array.from({ length: 12 }, (_, n) => install({ id: String(n) }))
    expect(waitingTable(list(many, { more: 3, others: 1 }), plain, 10).slice(-2)).toEqual(['and 5 more', '1 install of other addresses waits too: muslin watch --all'])
    expect(nothingWaits(list([gone]))).toBe('nothing waits')
    expect(nothingWaits(list([], { others: 2 }))).toBe('nothing of this address waits; 2 installs of other addresses do: muslin watch --all')
  })

  test('are said at the start, at each change of the job, each minute, and once at the end', () => {
    const news = createNews()
    const told = (...installs: WaitingView[]) => news(installs).map(({ event, install: { id } }) => `${event} ${id}`)
    const queued = install({ seconds: 5, job: job() })
    expect(told(queued, install({ id: 'before', ended: 'built' }))).toEqual(['waits one'])
    expect(told({ ...queued, seconds: 59 })).toEqual([])
    expect(told({ ...queued, seconds: 60 })).toEqual(['still one'])
    expect(told(install({ seconds: 70 }), install({ id: 'quick', ended: 'built' }))).toEqual(['changed one', 'ended quick'])
    expect(told(install({ seconds: 75, ended: 'failed' }), install({ id: 'quick', ended: 'built' }))).toEqual(['ended one'])
    expect(told(install({ seconds: 75, ended: 'failed' }))).toEqual([])
    expect(told(install({ seconds: 90 })), 'it was given up too early').toEqual(['waits one'])
    expect(told(install({ seconds: 100 }), install({ seconds: 75, ended: 'left' })), 'both are listed').toEqual([])
    expect(told(install({ seconds: 101, ended: 'built' }))).toEqual(['ended one'])
  })
})

describe('watch', () => {
  let server: ScriptedServer
  beforeEach(async () => { server = await scriptedServer() })
  afterEach(() => server.close())

  const OWN = 'GET /api/v1/waiting?own=true'

  /** Runs until what was printed, warned or drawn has `text`, then interrupts. */
  async function until(text: string, words: string[], parts: Partial<Context> = {}) {
    let signal = (_name: string): void => undefined
    const drawn: string[] = []
    const context = testContext({ onSignal: (heard) => { signal = heard; return () => undefined }, draw: (shown) => drawn.push(shown), ...parts })
    const exit = run(['watch', ...words, '--server', server.url], context)
    while (![...context.printed, ...context.warned, ...drawn].some((line) => line.includes(text))) await new Promise((resolve) => setImmediate(resolve))
    signal('SIGINT')
    return { exit: await exit, out: context.printed, err: context.warned, drawn }
  }

  test('appends a line for each change where no terminal is, and goes on when nothing waits', async () => {
    server.on(OWN, { json: list([], { others: 1 }) }, { json: list([install({ seconds: 0 })]) }, { json: list([install({ seconds: 1 })]) },
      { json: list([install({ ended: 'failed', job: job(FAILED) })]) }, { json: list([]) })
    server.on('GET /api/v1/events', events([{ event: 'changed', data: {} }]))
    expect(await until('nothing waits', [])).toEqual({ exit: 130, err: [], drawn: [], out: [
      'nothing of this address waits; 1 install of other addresses does: muslin watch --all',
      `pip 26.3 at 10.0.0.7 waits for lxml 5.3.0 for ${TARGET}: job 12 is running (build, 41 s), about 30 s left`,
      `failed  lxml 5.3.0 for ${TARGET}: needs header ffi.h, see ${server.url}/b/7; pip 26.3 at 10.0.0.7 ended after 1 min 20 s`,
      'nothing waits',
    ] })
  })

  test('draws a table over itself on a terminal, no line of which wraps, and leaves nothing of it', async () => {
    server.on(OWN, { json: list([install()]) }, { json: list([install({ ended: 'built', job: job(BUILT) })]) })
    const { exit, out, drawn } = await until('nothing waits', [], { terminal: { output: true, error: true, columns: () => 40 }, env: { NO_COLOR: '1' } })
    expect(exit).toBe(130)
    expect(out).toEqual([`built  lxml 5.3.0 for ${TARGET}: pip 26.3 at 10.0.0.7 has it after 1 min 20 s`])
    expect(drawn[0]?.split('\n').map((line) => line.length)).toEqual([39, 39])
    expect(drawn.slice(1, 3)).toEqual(['\r\x1b[2K\x1b[1A\x1b[2K', 'nothing waits'])
    expect(drawn.at(-1)).toBe('\r\x1b[2K')
  })

  test('with --json prints an object a line', async () => {
    server.on(OWN, { json: list([install()]) }, { json: list([install({ ended: 'built', job: job(BUILT) })]) })
    const { exit, out } = await until('"event":"ended"', ['--json'])
    expect(exit).toBe(130)
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([{ event: 'waits', install: install() }, { event: 'ended', install: install({ ended: 'built', job: job(BUILT) }) }])
  })

  test('says that the server went away, and goes on when it is back', async () => {
    server.on(OWN, { json: list([]) }, { status: 503, json: { title: 'x', status: 503, detail: 'it restarts', code: 'shutting-down' } }, { status: 502, json: {} }, { json: list([install()]) })
    const { exit, err, out } = await until('waits for', [])
    expect(exit).toBe(130)
    expect(err).toEqual([expect.stringMatching(/^the server went away, it is asked again for a minute: .*it restarts/)])
    expect(out[0]).toBe('nothing waits')
  })

  test('gives up where it stays away, and at once where none is there', async () => {
    server.on(OWN, { json: list([]) }, { status: 502, json: {} })
    const context = testContext()
    expect(await run(['watch', '--server', server.url], context)).toBe(1)
    expect(context.warned).toHaveLength(2)
    expect(server.asked.filter(({ path }) => path.includes('waiting')).length).toBeGreaterThan(60)
    server.on(OWN, { status: 502, json: {} })
    const again = testContext()
    expect(await run(['watch', '--server', server.url], again)).toBe(1)
    expect(again.warned).toEqual([expect.stringContaining('answers with 502')])
  })

  test('--once prints what waits and ends, of the projects that are named and of all addresses', async () => {
    server.on('GET /api/v1/waiting?own=false&project=lxml%2Cruamel-yaml', { json: list([install()]) })
    server.on(OWN, { json: list([install({ ended: 'left' })]) })
    const once = async (...words: string[]) => {
      const context = testContext()
      expect(await run(['watch', ...words, '--once', '--server', server.url], context)).toBe(0)
      return context.printed
    }
    expect((await once('LXML', 'ruamel.yaml', '--all'))[1]).toMatch(/^1 min 20 s {2}lxml/)
    expect(await once()).toEqual(['nothing waits'])
    expect(JSON.parse((await once('--json')).join('\n'))).toEqual(list([install({ ended: 'left' })]))
  })
})

test('on a real server an install is shown from its first request to its wheel', async () => {
  const rig = await makeRig()
  let signal = (_name: string): void => undefined
  try {
    rig.upstream.project('alpha', [{ filename: 'alpha-1.0.tar.gz', bytes: Buffer.from('alpha') }])
    await rig.ready()
    const watching = startOn(rig, ['watch', 'Alpha'], { onSignal: (heard) => { signal = heard; return () => undefined }, clock: rig.clock })
    const said = async (text: string) => {
      for (let turns = 1; !watching.out.some((line) => line.includes(text)); turns++) {
        await new Promise((resolve) => setImmediate(resolve))
        // A change that follows another one within half a second is told after that.
        if (turns % 200 === 0 && turns <= 2000) await rig.clock.advance(500)
      }
    }
    await said('nothing waits')
    const uv = { 'user-agent': AGENTS.uv }
    const page = JSON.parse((await rig.get('/simple/alpha/', { ...uv, accept: JSON_V1 })).body.toString()) as { files: { url: string }[] }
    const path = new URL(page.files.find(({ url }) => url.includes('/promise/'))!.url, 'http://h/simple/alpha/').pathname
    const held = rig.get(path, uv)
    const claimed = await claimOn(rig)
    await said('uv 0.13.9 at 127.0.0.1 waits for alpha 1.0')
    await rig.store.jobs.step(claimed.build, 'plan', rig.clock.now())
    await said('is running (plan')
    await rig.publish(claimed, Buffer.from('a wheel'), 'Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n')
    const { status, headers } = await held
    if (status === 307) await rig.get(`${path}${headers.location}`, uv)
    await said(`built  alpha 1.0 for ${TARGET}: uv 0.13.9 at 127.0.0.1 has it`)
    signal('SIGINT')
    expect(await watching.exit).toBe(130)
    expect(watching.err).toEqual([])
  } finally {
    await rig.close()
  }
})
