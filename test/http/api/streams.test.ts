import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY } from '../../../src/domain/job.ts'
import { closeServer } from '../../../src/http/server.ts'
import type { LogSink } from '../../../src/services/ports.ts'
import { JobView } from '../../../src/services/views.ts'
import { makeRig, type Rig, TARGET } from '../rig.ts'

const SSE = { accept: 'text/event-stream' }

let rig: Rig
beforeEach(async () => {
  rig = await makeRig({ logBytes: 4_000 })
  await rig.ready()
})
afterEach(() => rig.close())

/** What comes of a stream, piece by piece. */
interface Reader { answer: IncomingMessage; next(until: RegExp): Promise<string>; ended: Promise<string>; leave(): void }

async function read(path: string, headers: Record<string, string> = {}): Promise<Reader> {
  const { request, response } = rig.open(path, { ...SSE, ...headers })
  const answer = await response
  let text = ''
  let taken = 0
  answer.setEncoding('utf8')
  answer.on('data', (piece: string) => { text += piece })
  answer.on('error', () => {})
  const ended = new Promise<string>((resolve) => { answer.once('close', () => resolve(text)) })
  return {
    answer, ended,
    leave: () => request.destroy(),
    async next(until) {
      for (;;) {
        const found = until.exec(text.slice(taken))
        if (found) {
          const piece = text.slice(taken, taken + found.index + found[0].length)
          taken += piece.length
          return piece
        }
        await once(answer, 'data')
      }
    },
  }
}

/** The events of a whole stream. */
function events(text: string): { event: string; id: string | undefined; data: unknown }[] {
  return text.split('\n\n').filter((block) => /^(event|id|data)/.test(block)).map((block) => {
    const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
    return { event: fields['event'] ?? 'message', id: fields['id'], data: fields['data'] === undefined ? undefined : JSON.parse(fields['data']) }
  })
}

const textOf = (stream: string): string => events(stream).map(({ data }) => (data as { text?: string } | undefined)?.text ?? '').join('')

async function wish(n = 1): Promise<void> {
  await rig.store.jobs.wish({
    kind: 'build', project: 'demo', version: `1.${n}`, sdist: { sha256: `${n}`.repeat(64), filename: `demo-1.${n}.tar.gz` }, target: TARGET,
    recipe: '', image: 'image-1', priority: PRIORITY.waiting, askedBy: 'admin',
  }, rig.clock.now())
}

describe('the log of a build', () => {
  let build: number
  let sink: LogSink
  let finish: () => Promise<void>
  beforeEach(async () => {
    await wish()
    const run = await rig.claim()
    build = run.build
    sink = await rig.logs.open(build)
    finish = async () => {
      await sink.close()
      await rig.fail(run, { class: 'compiler-error', key: 'x.c' })
    }
  })

  const path = () => `/api/v1/builds/${build}/log`
  /** The log is looked at every half second. */
  const look = async () => {
    await rig.clock.began(500)
    await rig.clock.advance(500)
  }

  test('comes in whole lines as they are written, and ends with the job', async () => {
    sink.write('one\ntw')
    const reader = await read(path())
    expect(reader.answer.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    expect(await reader.next(/open\n\n/)).toBe(': open\n\n')
    expect(await reader.next(/\n\n/)).toBe('id: 4\ndata: {"text":"one\\n"}\n\n')
    sink.write('o\ngrö')
    await look()
    expect(await reader.next(/\n\n/)).toBe('id: 8\ndata: {"text":"two\\n"}\n\n')
    sink.write('ße\nthe last has no end')
    await finish()
    await look()
    const [lines, last, end] = events(await reader.next(/event: end\n[^]*\n\n/))
    expect(lines).toEqual({ event: 'message', id: '16', data: { text: 'größe\n' } })
    expect(last).toEqual({ event: 'message', id: '35', data: { text: 'the last has no end' } })
    expect(end).toMatchObject({ event: 'end', id: '35', data: { state: 'failed', failure: { cause: 'does not compile: x.c' } } })
    expect(JobView.parse(end!.data)).toEqual(end!.data)
    expect(await reader.ended).toContain('event: end')
  })

  test('goes on behind the last event that a client had', async () => {
    for (let n = 0; n < 20; n++) sink.write(`line ${n}\n`)
    await finish()
    const all = await (await read(path())).ended
    expect(textOf(all)).toBe(Array.from({ length: 20 }, (_, n) => `line ${n}\n`).join(''))
    const rest = await (await read(path(), { 'last-event-id': '7' })).ended
    expect(textOf(rest)).toBe(textOf(all).slice(7))
    const ended = await (await read(path(), { 'last-event-id': String(textOf(all).length) })).ended
    expect(events(ended).map(({ event }) => event)).toEqual(['end'])
    for (const odd of ['x', '-1', '1e3', '999999']) expect(await (await read(path(), { 'last-event-id': odd })).ended).toMatch(/event: end/)
  })

  test('that outgrew its cap says what is missing, and its offsets stay right', async () => {
    const reader = await read(path())
    const lines = Array.from({ length: 2_000 }, (_, n) => `line ${String(n).padStart(5, '0')}\n`)
    for (const line of lines) sink.write(line)
    await look()
    const seen = await reader.next(/id: 22000\n\n$/)
    expect(textOf(seen)).toMatch(/^line 00000\n[^]*\nMuslin: \d+ bytes of the log are missing here\n[^]*line 01999\n$/)
    sink.write('more\n')
    await look()
    expect(await reader.next(/more[^]*\n\n/)).toContain('id: 22005')
    await finish()
    reader.leave()
    expect(textOf(await (await read(path(), { 'last-event-id': '21989' })).ended)).toBe('line 01999\nmore\n')
  })

  test('says every 15 seconds that it is still there, and stops looking when its reader leaves', async () => {
    const reader = await read(path())
    expect(await reader.next(/\n\n/)).toBe(': open\n\n')
    for (let n = 0; n < 31; n++) await look()
    expect(await reader.next(/\n\n/)).toBe(': still here\n\n')
    reader.leave()
    await reader.ended
    await gone()
    expect(rig.clock.sleeping()).toBe(0)
  })

  test('as text is let go as soon as its reader leaves, however silent the build', async () => {
    sink.write('one\n')
    const reader = await read(path(), { accept: 'text/plain' })
    expect(await reader.next(/\n/)).toBe('one\n')
    await look()
    await rig.clock.began(500)
    reader.leave()
    await gone()
    expect(rig.clock.sleeping()).toBe(0)
  })

  test('is not begun for who only asks what there is', async () => {
    expect(await rig.get(path(), SSE, 'HEAD')).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
    expect(rig.clock.sleeping()).toBe(0)
  })
})

describe('the stream of changes', () => {
  test('tells at once that something changed, and then at most twice a second', async () => {
    const reader = await read('/api/v1/events')
    expect(await reader.next(/\n\n/)).toBe(': open\n\n')
    await rig.clock.began(15_000)
    await wish(1)
    expect(await reader.next(/\n\n/)).toBe('event: changed\ndata: {}\n\n')
    await rig.clock.began(500)
    for (let n = 2; n < 9; n++) await wish(n)
    await rig.clock.advance(500)
    expect(await reader.next(/\n\n/)).toBe('event: changed\ndata: {}\n\n')
    await rig.clock.began(500)
    await rig.clock.advance(500)
    await rig.clock.began(15_000)
    await rig.clock.advance(15_000)
    expect(await reader.next(/\n\n/), 'the seven changes were one').toBe(': still here\n\n')
    reader.leave()
  })

  test('ends when its reader leaves: nobody watches or sleeps for it any more', async () => {
    let watching = 0
    const { watch } = rig.store.jobs
    rig.store.jobs.watch = (changed) => {
      watching += 1
      const stop = watch(changed)
      return () => { watching -= 1; stop() }
    }
    const readers = await Promise.all(Array.from({ length: 20 }, () => read('/api/v1/events')))
    await Promise.all(readers.map((reader) => reader.next(/open\n\n/)))
    await rig.clock.began(15_000, 20)
    expect([watching, rig.clock.sleeping()]).toEqual([20, 20])
    for (const reader of readers) reader.leave()
    await Promise.all(readers.map(({ ended }) => ended))
    await gone()
    expect([watching, rig.clock.sleeping()]).toEqual([0, 0])
  })

  test('is read twenty times at once by an address, two hundred times in all; who leaves makes room', async () => {
    await rig.restart({ trustedProxies: ['127.0.0.1'] })
    const events = (address: string) => read('/api/v1/events', { 'x-forwarded-for': address })
    const opened: Reader[] = []
    for (let n = 0; n < 20; n++) opened.push(await events('10.0.0.1'))
    const refused = await rig.get('/api/v1/events', { ...SSE, 'x-forwarded-for': '10.0.0.1' })
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '15', 'content-type': 'application/problem+json' } })
    expect(JSON.parse(refused.body.toString())).toMatchObject({ code: 'too-many-streams', detail: expect.stringMatching(/10\.0\.0\.1 reads 20 /) })
    expect((await rig.get('/api/v1/jobs', { 'x-forwarded-for': '10.0.0.1' })).status).toBe(200)
    for (let n = 0; n < 180; n++) opened.push(await events(`10.0.1.${Math.floor(n / 20)}`))
    const full = await rig.get('/api/v1/events', { ...SSE, 'x-forwarded-for': '10.0.2.1' })
    expect(JSON.parse(full.body.toString())).toMatchObject({ code: 'too-many-streams', detail: expect.stringMatching(/^200 are read /) })
    for (const reader of opened) reader.leave()
    await Promise.all(opened.map(({ ended }) => ended))
    await gone()
    const again = await events('10.0.0.1')
    expect(again.answer.statusCode).toBe(200)
    again.leave()
  })

  test('and that of a log end at once when the server stops', async () => {
    await wish()
    const { build } = await rig.claim()
    const sink = await rig.logs.open(build)
    sink.write('one\n')
    await sink.close()
    const readers = [
      await read('/api/v1/events'), await read(`/api/v1/builds/${build}/log`),
      await read(`/api/v1/builds/${build}/log`, { accept: 'text/plain' }), await read(`/b/${build}`, { accept: '*/*' }),
    ]
    // No grace is used up: the streams end by themselves, and with them their connections.
    await closeServer(rig.server, { closing: rig.closing, grace: new AbortController().signal })
    for (const { answer, ended } of readers) {
      await ended
      expect(answer.complete).toBe(true)
    }
    expect(rig.clock.sleeping()).toBe(0)
  })
})

/** A connection that a client closes is noticed in a turn or two of the event loop. */
async function gone(): Promise<void> {
  for (let turn = 0; turn < 100 && rig.clock.sleeping() > 0; turn++) await new Promise(setImmediate)
}
