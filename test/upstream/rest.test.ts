import { beforeEach, expect, test } from 'vitest'
import { MuslinError } from '../../src/errors.ts'
import { createRest } from '../../src/upstream/rest.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'

let clock: ManualClock
let unlessResting: ReturnType<typeof createRest>
beforeEach(() => {
  clock = manualClock()
  unlessResting = createRest({ clock })
})

const silence = new MuslinError('upstream-timeout', 'upstream.example did not answer in time')
const fail = (error: Error) => () => unlessResting(async () => { throw error })

/** Milliseconds until somebody is let through again. */
async function rested(): Promise<number> {
  for (let ms = 0; ; ms += 1_000) {
    const asked = await unlessResting(async () => { throw new Error('let through') }).catch((error: unknown) => error)
    if (asked !== silence) return ms
    await clock.advance(1_000)
  }
}

test('after a silence nobody asks for some seconds, and everybody is told why', async () => {
  await expect(fail(silence)()).rejects.toBe(silence)
  let asked = 0
  for (let i = 0; i < 100; i += 1) await expect(unlessResting(async () => { asked += 1 })).rejects.toBe(silence)
  expect(asked).toBe(0)
  await clock.advance(3_000)
  expect(await unlessResting(async () => 'an answer')).toBe('an answer')
})

test('each silence that follows another lasts longer, half a minute at most, until there is an answer', async () => {
  for (const seconds of [3, 6, 12, 24, 30, 30]) {
    await expect(fail(silence)()).rejects.toBe(silence)
    await clock.advance(seconds * 1_000 - 1)
    await expect(unlessResting(async () => 'too early')).rejects.toBe(silence)
    await clock.advance(1)
  }
  await unlessResting(async () => 'an answer')
  await expect(fail(silence)()).rejects.toBe(silence)
  expect(await rested()).toBe(3_000)
})

test('those who asked before it fell silent count once', async () => {
  const asked = Array.from({ length: 10 }, () => unlessResting(async () => {
    await clock.sleep(1_000)
    throw silence
  }).catch(() => {}))
  await clock.advance(1_000)
  await Promise.all(asked)
  expect(await rested()).toBe(3_000)
})

test('one page that hangs while others are answered lets nobody rest', async () => {
  const hanging = unlessResting(async () => {
    await clock.sleep(1_000)
    throw silence
  }).catch((error: unknown) => error)
  await unlessResting(async () => 'an answer')
  await clock.advance(1_000)
  expect(await hanging).toBe(silence)
  expect(await unlessResting(async () => 'another')).toBe('another')
})

test('a refusal is an answer', async () => {
  await expect(fail(new MuslinError('upstream-refused', '403'))()).rejects.toThrow('403')
  expect(await rested()).toBe(0)
})
