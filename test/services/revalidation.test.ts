import { beforeEach, expect, test } from 'vitest'
import { MuslinError } from '../../src/errors.ts'
import { type Answered, createRevalidation, type Revalidation } from '../../src/services/revalidation.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'
import { silent } from './bench.ts'

const MINUTE = 60_000
const url = 'https://upstream.example/simple/p/'
const told = { seconds: 600, staleWhileRevalidate: 300 }
const refused = new MuslinError('upstream-refused', 'it answered 500; try again later')

let clock: ManualClock
let revalidation: Revalidation
let kept: Answered | undefined
let asked: number
let answer: () => Promise<Answered>
beforeEach(() => {
  clock = manualClock()
  revalidation = createRevalidation({ clock, log: silent, pageFreshness: 60, what: 'project' })
  kept = undefined
  asked = 0
  answer = async () => ({ url, fetchedAt: clock.now(), freshness: told })
})

const ask = async (): Promise<Answered> => { asked += 1; return kept = await answer() }
const turn = () => new Promise(setImmediate)
const run = () => revalidation.run('p', async () => kept, ask)

test('nobody is asked while it is fresh, in a new process neither', async () => {
  await run()
  await clock.advance(59_999)
  expect(revalidation.fresh('p')).toBe(true)
  revalidation = createRevalidation({ clock, log: silent, pageFreshness: 60, what: 'project' })
  expect(revalidation.fresh('p')).toBe(false)
  await run()
  expect([revalidation.fresh('p'), asked]).toEqual([true, 1])
  await clock.advance(1)
  expect(revalidation.fresh('p')).toBe(false)
})

test('while it may be served so it is asked for in the background, and counts as fresh until that is answered', async () => {
  await run()
  await clock.advance(14 * MINUTE)
  const late = Promise.withResolvers<Answered>()
  answer = () => late.promise
  await run()
  expect([revalidation.fresh('p'), asked]).toEqual([true, 2])
  await clock.advance(5_000)
  await run()
  expect([revalidation.fresh('p'), asked]).toEqual([true, 2])
  late.resolve({ url, fetchedAt: clock.now(), freshness: told })
  await turn()
  await clock.advance(59_000)
  expect(revalidation.fresh('p')).toBe(true)
})

test('a background question that fails is asked again after five seconds, and nobody hears of it', async () => {
  await run()
  await clock.advance(14 * MINUTE)
  answer = async () => { throw refused }
  await run()
  await clock.advance(4_999)
  expect(revalidation.fresh('p')).toBe(true)
  await clock.advance(1)
  await run()
  expect(asked).toBe(3)
})

test('past its time all wait for one question; its failure is no reason to serve nothing', async () => {
  await run()
  await clock.advance(16 * MINUTE)
  const late = Promise.withResolvers<Answered>()
  answer = () => late.promise
  const waiting = [run(), run(), run()]
  await clock.began(5_000)
  expect(revalidation.fresh('p')).toBe(false)
  late.reject(refused)
  await Promise.all(waiting)
  expect([asked, clock.sleeping()]).toEqual([2, 0])
})

test('where nothing is kept, and where the upstream knew nothing, its failure is told', async () => {
  answer = async () => { throw refused }
  await expect(run()).rejects.toBe(refused)
  kept = { url: '', fetchedAt: clock.now() - MINUTE, absent: true }
  await expect(run()).rejects.toBe(refused)
})

test('a time of day that was set back does not make it fresh for years', async () => {
  kept = { url, fetchedAt: clock.now() + 365 * 24 * 60 * MINUTE, freshness: told }
  await run()
  await clock.advance(MINUTE)
  expect(revalidation.fresh('p')).toBe(false)
})

test('offline nobody is asked for what is kept', async () => {
  revalidation = createRevalidation({ clock, log: silent, pageFreshness: 60, offline: true, what: 'project' })
  kept = { url, fetchedAt: 0 }
  await run()
  await clock.advance(365 * 24 * 60 * MINUTE)
  expect([revalidation.fresh('p'), asked]).toEqual([true, 0])
})

test('a reload asks though it is fresh, after whoever asks already, and its failure is told', async () => {
  const older = Promise.withResolvers<Answered>()
  answer = () => older.promise
  const first = run()
  await turn()
  const told: string[] = []
  const reload = revalidation.reload('p', async () => { told.push('reloaded'); return { url, fetchedAt: clock.now() } })
  await turn()
  expect(told).toEqual([])
  older.reject(refused)
  await expect(first).rejects.toBe(refused)
  await reload
  expect([told, revalidation.fresh('p')]).toEqual([['reloaded'], true])
  await expect(revalidation.reload('p', async () => { throw refused })).rejects.toBe(refused)
})
