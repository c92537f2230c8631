import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY, type ClaimedJob } from '../../../src/domain/job.ts'
import { makeRig, type Rig, TARGET } from '../../http/rig.ts'

const LOOK_AGAIN_MS = 400

let rig: Rig
let job: ClaimedJob

beforeEach(async () => {
  rig = await makeRig({ ui: true })
  await rig.ready()
  await rig.store.jobs.wish({
    kind: 'build', project: 'cffi', version: '1.17', sdist: { sha256: 'a'.repeat(64), filename: 'cffi-1.17.tar.gz' }, target: TARGET,
    recipe: '', image: 'image-1', priority: PRIORITY.asked, askedBy: '10.0.0.1',
  }, rig.clock.now())
  job = await rig.claim()
})
afterEach(() => rig.close())

interface Event { id?: string; event?: string; data: string }

/** The events of a stream that ends. */
async function eventsOf(path: string, headers: Record<string, string> = {}): Promise<Event[]> {
  const { status, body, headers: answered } = await rig.get(path, headers)
  expect([status, answered['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
  return parse(body.toString())
}

function parse(text: string): Event[] {
  return text.split('\n\n').filter((block) => /^(?:id|event|data)/m.test(block)).map((block) => {
    const fields = (name: string) => [...block.matchAll(new RegExp(`^${name}: ?(.*)$`, 'gm'))].map(([, value]) => value ?? '')
    return { ...fields('id')[0] !== undefined && { id: fields('id')[0] }, ...fields('event')[0] !== undefined && { event: fields('event')[0] }, data: fields('data').join('\n') }
  })
}

describe('the live log', () => {
  test('comes from the first line, goes on as it is written, and ends with its build', async () => {
    const sink = await rig.logs.open(job.build)
    sink.write('one\n\x1b[31mtwo\n')
    const { response } = rig.open(`/ui/builds/${job.build}/log`)
    const answer: IncomingMessage = await response
    let text = ''
    answer.on('data', (chunk) => { text += String(chunk) })
    await rig.clock.began(LOOK_AGAIN_MS)
    sink.write('thr')
    await rig.clock.advance(LOOK_AGAIN_MS)
    await rig.clock.began(LOOK_AGAIN_MS)
    sink.write('ee\n<four>')
    await sink.close()
    await rig.fail(job, { class: 'build-failed', key: 'exit code 1' })
    await rig.clock.advance(LOOK_AGAIN_MS)
    await once(answer, 'end')
    const lines = parse(text).filter(({ event }) => event === 'lines').map(({ data }) => data).filter((data) => data !== '')
    expect(lines).toEqual([
      '<li class="line" data-n="1">one</li>\n<li class="line" data-n="2"><span class="f1">two</span></li>',
      '<li class="line" data-n="3"><span class="f1">three</span></li>\n<li class="line" data-n="4"><span class="f1">&#60;four&#62;</span></li>',
    ])
    expect(parse(text).at(-1)).toEqual({ event: 'end', data: '' })
  })

  test('goes on where a page or an earlier connection stopped', async () => {
    const sink = await rig.logs.open(job.build)
    sink.write('one\ntwo\nthree\n')
    await sink.close()
    await rig.fail(job, { class: 'build-failed', key: 'exit code 1' })
    const after = (events: Event[]) => events.flatMap(({ data }) => [...data.matchAll(/data-n="(\d+)"/g)].map(([, n]) => Number(n)))
    expect(after(await eventsOf(`/ui/builds/${job.build}/log?from=4_2_`))).toEqual([2, 3])
    expect(after(await eventsOf(`/ui/builds/${job.build}/log?from=4_2_`, { 'Last-Event-ID': '8_3_1%3B31' }))).toEqual([1, 2, 3])
    const [event] = await eventsOf(`/ui/builds/${job.build}/log?from=4_2_`, { 'Last-Event-ID': '8_3_1;31' })
    expect(event).toEqual({ event: 'lines', id: '14_4_1;31', data: '<li class="line" data-n="3"><span class="a-bold f1">three</span></li>' })
  })

  test('that was away for long is told the end, and how much lies before it', async () => {
    const sink = await rig.logs.open(job.build)
    sink.write('first\n')
    for (let part = 0; part < 50; part += 1) sink.write('x\n'.repeat(1000))
    await sink.close()
    await rig.fail(job, { class: 'build-failed', key: 'exit code 1' })
    const events = await eventsOf(`/ui/builds/${job.build}/log?from=6_2_`)
    expect(events.map(({ event }) => event)).toEqual(['lines', 'end'])
    const numbers = [...events[0]!.data.matchAll(/data-n="(\d+)"/g)].map(([, number]) => Number(number))
    expect(numbers.at(-1)).toBe(50_001)
    expect(numbers.length).toBeGreaterThan(500)
    expect(numbers.length).toBeLessThan(2000)
    expect(numbers.at(-1)! - numbers[0]!).toBe(numbers.length - 1)
  })

  test('of a log that nobody wrote ends too', async () => {
    await rig.fail(job, { class: 'infrastructure', key: 'the worker died' })
    expect(await eventsOf(`/ui/builds/${job.build}/log`)).toEqual([{ event: 'end', data: '' }])
  })

  test('ends when the server stops, and when the reader leaves', async () => {
    const { response } = rig.open(`/ui/builds/${job.build}/log`)
    const answer = await response
    answer.resume()
    await rig.clock.began(LOOK_AGAIN_MS)
    rig.closing.abort()
    await once(answer, 'end')
  })
})
