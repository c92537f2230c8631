import { expect, test } from 'vitest'
import { createDeadline } from '../../src/builder/deadline.ts'
import { manualClock } from '../manual-clock.ts'

const TIMED_OUT = { failure: { class: 'timed-out', key: '60 s' } }
const NOT_FETCHED = { failure: { class: 'infrastructure', key: expect.stringContaining('apkMirror') as string } }

/** `wait`: a fetch that takes so many seconds, with what passes meanwhile. */
function rig() {
  const clock = manualClock()
  const ended = new AbortController()
  const deadline = createDeadline({ clock, seconds: 60, ended: ended.signal })
  const seconds = (count: number) => clock.advance(count * 1000)
  return { clock, ended, deadline, seconds, wait: (count: number) => deadline.fetching(() => seconds(count)), reason: () => deadline.signal.aborted ? deadline.signal.reason as unknown : 'goes on' }
}

test('what is fetched is taken from a time of its own, in however many pieces', async () => {
  const { deadline, seconds, wait, reason } = rig()
  deadline.count()
  for (let round = 0; round < 3; round++) {
    await seconds(19)
    await wait(19)
  }
  expect(reason()).toBe('goes on')
  await seconds(3)
  expect(reason()).toMatchObject(TIMED_OUT)
})

test('fetches that take too long in all end the job as the surroundings\' fault', async () => {
  const { deadline, seconds, wait, reason } = rig()
  deadline.count()
  await wait(40)
  await seconds(59)
  expect(reason()).toBe('goes on')
  await wait(20)
  expect(reason()).toMatchObject(NOT_FETCHED)
})

test('of fetches beside one another, one that fails too, the last one ends their time', async () => {
  const { deadline, seconds, reason } = rig()
  deadline.count()
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  const both = [deadline.fetching(() => first.promise), deadline.fetching(() => second.promise)]
  await seconds(20)
  first.reject(new Error('no answer'))
  await expect(both[0]).rejects.toThrow('no answer')
  await seconds(20)
  second.resolve()
  await both[1]
  await seconds(59)
  expect(reason()).toBe('goes on')
  await seconds(1)
  expect(reason()).toMatchObject(TIMED_OUT)
})

test('nothing counts before it is said, and no clock runs on after the end', async () => {
  const { clock, ended, deadline, seconds, wait, reason } = rig()
  await seconds(100)
  await wait(100)
  const met = deadline.start({ class: 'bad-sdist', key: 'too slow' })
  met()
  deadline.count()
  expect(clock.sleeping()).toBe(1)
  ended.abort(new Error('the job has ended'))
  expect(clock.sleeping()).toBe(0)
  await seconds(100)
  expect(reason()).toBe('goes on')
})
