import fc from 'fast-check'
import { expect, test } from 'vitest'
import { briefest, periods, toldFreshness } from '../../src/domain/freshness.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const GMT = (offset: number) => new Date(NOW + offset * 1000).toUTCString()
const cc = (text: string | string[]) => ({ 'cache-control': text })

const TOLD: [what: string, headers: Record<string, string | string[]>, seconds: number | undefined, stale: number][] = [
  ['nothing', {}, undefined, 0],
  ['the large public index', cc('max-age=600, public'), 600, 0],
  ['with a grace', cc('max-age=600, stale-while-revalidate=300'), 600, 300],
  ['a grace alone', cc('stale-while-revalidate=300'), undefined, 300],
  ['stale-if-error, which holds anyway', cc('max-age=600, stale-if-error=86400'), 600, 0],
  ['for shared caches something else', cc('max-age=600, s-maxage=30'), 30, 0],
  ['s-maxage first in any order', cc('s-maxage=30, max-age=600'), 30, 0],
  ['s-maxage with a grace', cc('s-maxage=1, stale-while-revalidate=59'), 1, 59],
  ['must-revalidate', cc('max-age=600, stale-while-revalidate=300, must-revalidate'), 600, 0],
  ['proxy-revalidate', cc('max-age=600, stale-while-revalidate=300, proxy-revalidate'), 600, 0],
  ['no-cache', cc('no-cache, max-age=600, stale-while-revalidate=300'), 0, 0],
  ['no-store', cc('no-store'), 0, 0],
  ['private', cc('private, max-age=600'), 0, 0],
  ['another Muslin', cc('private, max-age=0, must-revalidate'), 0, 0],
  ['no-cache of one header field alone', cc('no-cache="set-cookie", max-age=600'), 600, 0],
  ['private of one header field alone', cc('max-age=600, private="x, max-age=5"'), 600, 0],
  ['in capitals and with spaces', cc('Public , MAX-AGE = 600'), 600, 0],
  ['in quotes', cc('max-age="600"'), 600, 0],
  ['in two header lines', cc(['public', 'max-age=600']), 600, 0],
  ['of two the first', cc('max-age=600, max-age=5'), 600, 0],
  ['no number', cc('max-age=soon'), 0, 0],
  ['a fraction', cc('max-age=1.5'), 0, 0],
  ['a negative number', cc('max-age=-1'), 0, 0],
  ['nothing behind the equals sign', cc('max-age='), 0, 0],
  ['more than fits', cc('max-age=99999999999999999999'), 2 ** 31, 0],
  ['an unfinished quote', cc('max-age="600'), 0, 0],
  ['unknown words', cc('immutable, max-age=600, x-strange="a,b"'), 600, 0],
  ['an age', { ...cc('max-age=600'), age: '100' }, 500, 0],
  ['several ages', { ...cc('max-age=600'), age: '100, 7' }, 500, 0],
  ['an age that is none', { ...cc('max-age=600'), age: 'old' }, 600, 0],
  ['an age within the grace', { ...cc('max-age=600, stale-while-revalidate=300'), age: '700' }, 10, 190],
  ['an age beyond all', { ...cc('max-age=600, stale-while-revalidate=300'), age: '90000' }, 10, 0],
  ['an age, and nothing to be used', { ...cc('max-age=0'), age: '5' }, 0, 0],
  ['an age, and little to be used', { ...cc('max-age=4'), age: '5' }, 4, 0],
  ['Expires from Date', { expires: GMT(90), date: GMT(-30) }, 120, 0],
  ['Expires without Date', { expires: GMT(90) }, 90, 0],
  ['Expires of the past', { expires: GMT(-90) }, 0, 0],
  ['Expires and max-age', { ...cc('max-age=600'), expires: GMT(5) }, 600, 0],
  ['Expires as some write "now"', { expires: '0' }, 0, 0],
  ['Expires as a year', { expires: '3000' }, 0, 0],
  ['Expires of RFC 850', { expires: 'Sunday, 22-Nov-26 12:01:00 GMT' }, 60, 0],
  ['Expires of asctime', { expires: 'Sun Nov 22 12:01:00 2026' }, 60, 0],
  ['Expires with an age', { expires: GMT(90), date: GMT(0), age: '50' }, 40, 0],
]

test.each(TOLD)('%s', (_what, headers, seconds, staleWhileRevalidate) => {
  expect(toldFreshness(headers, { now: NOW, delay: 0 })).toEqual({ seconds, staleWhileRevalidate })
})

test('how long an answer took to come counts as its age', () => {
  expect(toldFreshness(cc('max-age=600, stale-while-revalidate=60'), { now: NOW, delay: 3 })).toEqual({ seconds: 597, staleWhileRevalidate: 60 })
  expect(toldFreshness(cc('max-age=600'), { now: NOW, delay: -3 })).toEqual({ seconds: 600, staleWhileRevalidate: 0 })
})

const PERIODS: [what: string, told: [number | undefined, number], most: number, quiet: number, usable: number][] = [
  ['nothing said', [undefined, 0], 60, 60, 60],
  ['longer than the setting', [600, 0], 60, 60, 600],
  ['longer, with a grace', [600, 300], 60, 60, 900],
  ['shorter than the setting', [20, 0], 60, 20, 20],
  ['shorter, with a grace', [20, 300], 60, 20, 320],
  ['nothing but a grace', [undefined, 300], 60, 60, 360],
  ['to be asked always', [0, 0], 60, 0, 0],
  ['a setting of 0', [600, 0], 0, 0, 600],
  ['a setting of 0, and nothing said', [undefined, 0], 0, 0, 0],
]

test.each(PERIODS)('%s: when it is asked, and when it is waited for', (_what, [seconds, staleWhileRevalidate], most, quiet, usable) => {
  expect(periods({ seconds, staleWhileRevalidate }, most)).toEqual({ quiet, usable })
})

test('whatever the headers are, the answer is of whole seconds, none below 0', () => {
  const word = fc.oneof(fc.constantFrom('max-age=', 's-maxage=', 'stale-while-revalidate=', '"', '\\', ',', 'no-cache', 'private=', '60', 'must-revalidate'), fc.string({ maxLength: 4 }))
  const header = fc.array(word, { maxLength: 12 }).map((words) => words.join(''))
  fc.assert(fc.property(fc.record({ 'cache-control': header, 'age': header, 'expires': header, 'date': header }), fc.integer({ min: -5, max: 50 }), (headers, delay) => {
    const { seconds = 0, staleWhileRevalidate } = toldFreshness(headers, { now: NOW, delay })
    expect([seconds, staleWhileRevalidate].every((value) => Number.isInteger(value) && value >= 0 && value <= 2 ** 31)).toBe(true)
  }))
})

test('a hostile header costs no time', () => {
  const began = performance.now()
  for (const text of ['"'.repeat(16_000), 'a="'.repeat(5_000), 'a="\\'.repeat(4_000), `max-age="${'\\'.repeat(16_000)}`]) toldFreshness(cc(text), { now: NOW, delay: 0 })
  expect(performance.now() - began).toBeLessThan(500)
})

test('an answer made of several is as fresh as the briefest of them', () => {
  const [brief, long] = [{ seconds: 10, staleWhileRevalidate: 300 }, { seconds: 600, staleWhileRevalidate: 0 }]
  expect(briefest([brief, long])).toEqual({ seconds: 10, staleWhileRevalidate: 0 })
  expect(briefest([brief, { seconds: undefined, staleWhileRevalidate: 5 }])).toEqual({ seconds: undefined, staleWhileRevalidate: 5 })
  expect(briefest([brief, undefined])).toBeUndefined()
  expect(briefest([])).toBeUndefined()
})
