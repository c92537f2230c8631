import { expect, test } from 'vitest'
import { createAway } from '../../src/services/away.ts'
import { manualClock } from '../manual-clock.ts'

test('a server is away for a minute after it was last asked in vain, whatever its page; one probe each five seconds', async () => {
  const clock = manualClock()
  const away = createAway({ clock })
  const [one, other, elsewhere] = ['https://upstream.example/simple/one/', 'https://upstream.example/simple/other/', 'https://other.example/simple/one/']
  expect([away.is(one), away.mayProbe(one)]).toEqual([false, true])
  away.note(one)
  expect([away.is(one), away.is(other), away.is(elsewhere)]).toEqual([true, true, false])
  expect(away.mayProbe(other)).toBe(false)
  await clock.advance(5_000)
  expect([away.mayProbe(other), away.mayProbe(one)]).toEqual([true, false])
  // It was asked once more, so it is believed from then on.
  await clock.advance(58_000)
  expect(away.is(one)).toBe(true)
  await clock.advance(2_000)
  expect(away.is(one)).toBe(false)
})

test('one that answered is back, and no URL is one server of its own', () => {
  const away = createAway({ clock: manualClock() })
  away.note('')
  away.note('https://upstream.example/simple/one/')
  expect(away.is('no URL either')).toBe(true)
  away.end('https://upstream.example/simple/other/')
  expect([away.is('https://upstream.example/'), away.is('')]).toEqual([false, true])
})
