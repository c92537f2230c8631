import { describe, expect, test } from 'vitest'
import { count, counted, distance, duration, runningTag, size, timeTag } from '../../src/ui/format.ts'
import { textOf } from '../../src/ui/html.ts'

test.each<[number, string]>([
  [0, '0 s'], [0.42, '0.4 s'], [9.94, '9.9 s'], [9.96, '10 s'], [59.4, '59 s'], [59.6, '1 min'], [200, '3 min 20 s'], [3599.7, '1 h'],
  [3600, '1 h'], [7500, '2 h 5 min'], [7169, '1 h 59 min'], [7199, '2 h'], [86_399, '1 d'], [273_600, '3 d 4 h'], [-1, '0 s'], [Number.NaN, '0 s'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})

test.each<[number, string]>([
  [0, 'just now'], [9, 'just now'], [-9, 'in a moment'], [59, '59 s ago'], [60, '1 min ago'], [3599, '59 min ago'], [3600, '1 h ago'],
  [47 * 3600, '47 h ago'], [48 * 3600, '2 d ago'], [-120, 'in 2 min'], [-3 * 86_400, 'in 3 d'],
])('%d seconds before now is %s', (seconds, text) => {
  expect(distance(1_000_000_000, 1_000_000_000 + seconds * 1000)).toBe(text)
})

test.each<[number, string]>([
  [0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [1234, '1.2 kB'], [9949, '9.9 kB'], [9950, '10 kB'], [999_499, '999 kB'], [999_500, '1.0 MB'], [34e6, '34 MB'], [5e15, '5000 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(size(bytes)).toBe(text)
})

describe('counts', () => {
  test('have their thousands apart and their word', () => {
    expect([0, 999, 1000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect([counted(1, 'job'), counted(2, 'job'), counted(0, 'class', 'classes')]).toEqual(['1 job', '2 jobs', '0 classes'])
  })
})

test('times bear what a script needs to keep them true', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  expect(textOf(timeTag('2026-11-21T11:55:00.000Z', now))).toBe('<time datetime="2026-11-21T11:55:00.000Z" title="2026-11-21 11:55:00 UTC">5 min ago</time>')
  expect(textOf(runningTag('2026-11-21T11:59:30.000Z', now))).toBe('<span class="num" data-since="2026-11-21T11:59:30.000Z">30 s</span>')
})
