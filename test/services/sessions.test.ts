import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSessions, type Sessions } from '../../src/services/sessions.ts'
import { type Bench, makeBench } from './bench.ts'

const TOKEN = '1'.repeat(64)
const DAY = 24 * 60 * 60 * 1000

let bench: Bench
let sessions: Sessions
beforeEach(async () => {
  bench = await makeBench()
  sessions = createSessions({ sessions: bench.store.sessions, adminTokenSha256: TOKEN, clock: bench.clock })
})
afterEach(() => bench.close())

test('a cookie is found by whoever asks, for thirty days', async () => {
  const { cookie, session } = await sessions.open()
  expect(session.expiresAt).toBe(bench.clock.now() + 30 * DAY)
  expect(await createSessions({ sessions: bench.store.sessions, adminTokenSha256: TOKEN, clock: bench.clock }).find(cookie)).toEqual(session)
  await bench.clock.advance(30 * DAY - 1)
  expect(await sessions.find(cookie)).toEqual(session)
  await bench.clock.advance(1)
  expect(await sessions.find(cookie)).toBeUndefined()
})

test('no two share anything, and one that is closed is over while the other goes on', async () => {
  const [one, two] = [await sessions.open(), await sessions.open()]
  expect(new Set([one.cookie, two.cookie, one.session.csrf, two.session.csrf]).size).toBe(4)
  for (const text of [one.cookie, one.session.csrf]) expect(text).toMatch(/^[\w-]{43}$/)
  await sessions.close(one.cookie)
  expect(await sessions.find(one.cookie)).toBeUndefined()
  expect(await sessions.find(two.cookie)).toEqual(two.session)
})

test('another token ends all that the older one opened', async () => {
  const { cookie } = await sessions.open()
  const renewed = createSessions({ sessions: bench.store.sessions, adminTokenSha256: '2'.repeat(64), clock: bench.clock })
  expect(await renewed.find(cookie)).toBeUndefined()
  expect(await renewed.find((await renewed.open()).cookie)).toBeDefined()
})

test('what the database knows opens nothing', async () => {
  const created: string[] = []
  const { cookie } = await createSessions({
    clock: bench.clock, adminTokenSha256: TOKEN,
    sessions: { ...bench.store.sessions, async create(session) { created.push(session.idSha256); await bench.store.sessions.create(session) } },
  }).open()
  expect(await sessions.find(cookie)).toBeDefined()
  expect(created).not.toContain(cookie)
  for (const text of [...created, '', 'x'.repeat(10_000), '\u0000']) expect(await sessions.find(text)).toBeUndefined()
})
