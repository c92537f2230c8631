/** The upstream is gone, silent, back, and this server is restarted in between: what was seen is served at once, and nothing is called absent that is not. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JSON_V1, type SyntheticFile } from '../synthetic-upstream.ts'
import { type Answer, makeRig, type Rig } from './rig.ts'

const MINUTE = 60_000
const json = { accept: JSON_V1 }
const wheel = (version: string): SyntheticFile => ({ filename: `seen-${version}-py3-none-any.whl`, bytes: Buffer.from(`wheel ${version}`), metadata: `Name: seen\nVersion: ${version}\n` })

let rig: Rig
beforeEach(async () => {
  rig = await makeRig()
  rig.upstream.cacheControl('max-age=600, stale-while-revalidate=300')
  rig.upstream.project('seen', [wheel('1.0'), wheel('2.0')])
  rig.upstream.project('other', [wheel('3.0')])
  rig.upstream.project('new', [wheel('4.0')])
})
afterEach(() => rig.close())

interface Timed { status: number; ms: number; text: string }

async function timed(path: string, headers: Record<string, string> = json): Promise<Timed> {
  const began = performance.now()
  const { status, body } = await rig.get(path, headers)
  return { status, ms: performance.now() - began, text: body.toString() }
}

/** Asks for all that is meant to be here, and for what is not; returns the paths by which it was found. */
async function see(): Promise<{ known: string[]; unseenFile: string }> {
  const { files } = JSON.parse((await rig.get('/simple/seen/', json)).body.toString()) as { files: { url: string }[] }
  const [file = '', unseenFile = ''] = files.map(({ url }) => new URL(url, `${rig.url}/simple/seen/`).pathname)
  const known = ['/simple/seen/', '/finished/simple/seen/', '/simple/other/', file, `${file}.metadata`, '/simple/']
  for (const path of known) expect((await rig.get(path, json)).status).toBe(200)
  return { known, unseenFile }
}

/**
 * Each is answered as before, without waiting, for which the test's clock would have to go on: in 100 ms by the clock on the wall, of which the
 * best of some tries counts where the machine is busy.
 */
async function expectAtOnce(paths: string[], before: Map<string, string>): Promise<void> {
  for (const path of paths) {
    const answer = await timed(path)
    expect([path, answer.status, answer.text]).toEqual([path, 200, before.get(path)])
    const times = [answer.ms]
    while (times.at(-1)! >= 100 && times.length < 10) times.push((await timed(path)).ms)
    expect(Math.min(...times), path).toBeLessThan(100)
  }
}

async function texts(paths: string[]): Promise<Map<string, string>> {
  return new Map(await Promise.all(paths.map(async (path) => [path, (await timed(path)).text] as const)))
}

const askedFor = (path: string) => rig.upstream.requests.filter((line) => line === `GET ${path}`).length
const codeOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { code: string }).code
const filesOf = ({ text }: Timed) => (JSON.parse(text) as { files: unknown[] }).files.length

test.each([
  ['fresh', 0.5], ['old, while it may be served so', 14], ['past its time', 60 * 24],
])('the upstream is gone and the pages are %s: all that was seen is served at once, after a restart too', async (_what, minutes) => {
  const { known, unseenFile } = await see()
  const before = await texts(known)
  await rig.upstream.leave()
  await rig.clock.advance(minutes * MINUTE)
  await expectAtOnce(known, before)
  await rig.restart()
  await expectAtOnce(known, before)
  await rig.clock.advance(MINUTE)
  await expectAtOnce(known, before)
  for (const path of ['/simple/new/', '/simple/no-such-name/', unseenFile, `${unseenFile}.metadata`]) {
    const answer = await rig.get(path, json)
    expect([path, answer.status, codeOf(answer)]).toEqual([path, 502, 'upstream-unreachable'])
  }
})

test.each([['fresh', 0.5], ['old, while it may be served so', 14]])('the upstream is silent and the pages are %s: nobody waits, after a restart neither', async (_what, minutes) => {
  const { known } = await see()
  const before = await texts(known)
  rig.upstream.silence(true)
  await rig.clock.advance(minutes * MINUTE)
  await expectAtOnce(known, before)
  await rig.restart()
  await expectAtOnce(known, before)
  expect(rig.clock.sleeping()).toBe(0)
})

test('the upstream is silent and the pages are past their time: one waits for five seconds, no other does, and files never', async () => {
  const { known } = await see()
  const before = await texts(known)
  rig.upstream.silence(true)
  await rig.clock.advance(60 * MINUTE)
  await rig.restart()
  await expectAtOnce(known.filter((path) => path.startsWith('/files/')), before)
  const first = rig.get('/simple/seen/', json)
  await rig.clock.began(5_000)
  await rig.clock.advance(4_999)
  expect(rig.clock.sleeping()).toBe(1)
  await rig.clock.advance(1)
  expect((await first).body.toString()).toBe(before.get('/simple/seen/'))
  // Another project of the same upstream, and for minutes: each time one question goes out, and nobody waits for it.
  const pages = known.filter((path) => path !== '/simple/')
  for (let seconds = 0; seconds < 120; seconds += 20) {
    await expectAtOnce(pages, before)
    await rig.clock.advance(20_000)
  }
  expect(rig.clock.sleeping()).toBe(0)
  // The list takes its own patience once.
  const list = rig.get('/simple/', json)
  await rig.clock.began(5_000)
  await rig.clock.advance(5_000)
  expect((await list).body.toString()).toBe(before.get('/simple/'))
  await expectAtOnce(known, before)
})

test('what was never seen is 504 where the upstream is silent, and other projects do not wait for that', async () => {
  await rig.restart({ timeouts: { connect: 1_000, headers: 400, idle: 1_000 } })
  const { known, unseenFile } = await see()
  const before = await texts(known)
  rig.upstream.silence(true)
  const asked = ['/simple/new/', unseenFile].map((path) => rig.get(path, json))
  await expectAtOnce(known, before)
  for (const answer of await Promise.all(asked)) expect([answer.status, codeOf(answer)]).toEqual([504, 'upstream-timeout'])
})

test('the upstream is back: what it has by now is seen, by one question for all who ask', async () => {
  await see()
  await rig.upstream.leave()
  await rig.clock.advance(20 * MINUTE)
  expect(filesOf(await timed('/simple/seen/'))).toBe(2)
  await rig.upstream.comeBack()
  rig.upstream.project('seen', [wheel('1.0'), wheel('2.0'), wheel('2.1')])
  await rig.clock.advance(10_000)
  const before = askedFor('/simple/seen/')
  await Promise.all(Array.from({ length: 10 }, () => rig.get('/simple/seen/', json)))
  await expect.poll(async () => filesOf(await timed('/simple/seen/'))).toBe(3)
  expect(askedFor('/simple/seen/')).toBe(before + 1)
  // What was never seen is asked for as soon as the upstream's client tries again.
  await rig.clock.advance(30_000)
  expect((await rig.get('/simple/new/', json)).status).toBe(200)
})

test('a page that may be served stale goes out while the upstream owes its answer, and is asked for once', async () => {
  await see()
  await rig.clock.advance(5 * MINUTE)
  rig.upstream.silence(true)
  const before = askedFor('/simple/seen/')
  for (const answer of await Promise.all(Array.from({ length: 20 }, () => timed('/simple/seen/')))) expect(filesOf(answer)).toBe(2)
  await expect.poll(() => askedFor('/simple/seen/')).toBe(before + 1)
  expect(rig.clock.sleeping()).toBe(0)
})

test('a page that may not be served stale is waited for, unless the upstream is gone', async () => {
  rig.upstream.cacheControl('no-cache')
  await see()
  rig.upstream.project('seen', [wheel('1.0')])
  expect(filesOf(await timed('/simple/seen/'))).toBe(1)
  await rig.upstream.leave()
  expect((await timed('/simple/seen/')).status).toBe(200)
  await rig.restart()
  expect(filesOf(await timed('/simple/seen/'))).toBe(1)
})

test('404 only where a live upstream says so, and not for long', async () => {
  const answer = async () => { const got = await rig.get('/simple/late/', json); return [got.status, got.status === 200 ? '' : codeOf(got)] }
  expect(await answer()).toEqual([404, 'no-such-project'])
  rig.upstream.project('late', [wheel('1.0')])
  await rig.clock.advance(9_000)
  expect(await answer()).toEqual([404, 'no-such-project'])
  expect(askedFor('/simple/late/')).toBe(1)
  await rig.clock.advance(2_000)
  expect(await answer()).toEqual([200, ''])
  rig.upstream.remove('late')
  await rig.clock.advance(20 * MINUTE)
  expect(await answer()).toEqual([404, 'no-such-project'])
  await rig.upstream.leave()
  await rig.clock.advance(MINUTE)
  expect(await answer()).toEqual([502, 'upstream-unreachable'])
  await rig.restart()
  expect(await answer()).toEqual([502, 'upstream-unreachable'])
})

test('offline: nothing is asked, what was seen is served, and what was not is said to be so', async () => {
  const { known, unseenFile } = await see()
  const before = await texts(known)
  await rig.clock.advance(60 * 24 * MINUTE)
  const asked = rig.upstream.requests.length
  await rig.restart({ offline: true })
  await expectAtOnce(known, before)
  await rig.clock.advance(60 * 24 * MINUTE)
  await expectAtOnce(known, before)
  for (const path of ['/simple/new/', unseenFile, `${unseenFile}.metadata`]) {
    const answer = await rig.get(path, json)
    expect([path, answer.status, codeOf(answer)]).toEqual([path, 503, 'offline'])
  }
  expect(rig.upstream.requests.length).toBe(asked)
})
