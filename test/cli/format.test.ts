import { expect, test } from 'vitest'
import { bar, count, duration, fit, size, table } from '../../src/cli/format.ts'

test('a table aligns its columns, numbers to the right, and leaves no space at an end', () => {
  expect(table([['job', 'state', 'what'], ['1', 'queued', ''], ['123', '\x1b[32mok\x1b[39m', 'x']], { right: [0] })).toEqual([
    'job  state   what', '  1  queued', '123  \x1b[32mok\x1b[39m      x',
  ])
  expect(table([])).toEqual([])
})

test.each([[0, '0 s'], [0.44, '0.4 s'], [9.96, '10 s'], [59.6, '1 min'], [60, '1 min'], [125, '2 min 5 s'], [3599.6, '1 h'], [3780, '1 h 3 min'], [90_000, '1 d 1 h']])('%s seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})

test.each([[0, '0 B'], [999, '999 B'], [1000, '1 kB'], [2_345_000, '2.3 MB'], [41_200_000, '41 MB'], [999_600, '1 MB'], [5e12, '5 TB'], [5e15, '5000 TB']])('%s bytes are %s', (bytes, text) => {
  expect(size(bytes)).toBe(text)
})

test('a bar is full only at the end', () => {
  expect(bar(0, 10, 12)).toBe('[----------]')
  expect(bar(5, 10, 12)).toBe('[#####-----]')
  expect(bar(999, 1000, 12)).toBe('[#########-]')
  expect(bar(10, 10, 12)).toBe('[##########]')
  expect(bar(0, 0, 12)).toBe('[##########]')
})

test('a text is cut to its columns', () => {
  expect(fit('abcdef', 6)).toBe('abcdef')
  expect(fit('abcdefg', 6)).toBe('abc...')
  expect(fit('abcdefg', 2)).toBe('..')
  expect(fit('abc', 0)).toBe('')
})

test('one is one', () => {
  expect([count(0, 'job'), count(1, 'job'), count(2, 'job')]).toEqual(['0 jobs', '1 job', '2 jobs'])
})
