import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readJson } from '../../src/domain/json.ts'

test.each([
  '9007199254740993', '-9007199254740993', '123456789012345678901234567890', '1e400', '-1E+5', '1.0', '0.10', '-0', '-0.0', '1e3',
])('the number %s is written as it was read, wherever it stands', (number) => {
  for (const text of [number, `[${number}]`, `[1,${number},2]`, `{"a":${number}}`, `{"a":{"b":[${number}]},"c":"x"}`]) expect(JSON.stringify(readJson(text))).toBe(text)
  expect(JSON.stringify(readJson(`[ 1,\n${number}\t]`))).toBe(`[1,${number}]`)
})

test('other numbers are numbers', () => {
  expect(readJson('[0,-1,1.5,9007199254740991,1e400,"2024-05-06T07:08:09.000010Z, 1.0, x"]')).toEqual([0, -1, 1.5, 9007199254740991, expect.anything(), '2024-05-06T07:08:09.000010Z, 1.0, x'])
  expect(readJson('[0,-1,1.5]')).toEqual([0, -1, 1.5])
})

test('a key may have any name, and of equal ones the last counts', () => {
  for (const text of ['{"__proto__":{"a":1},"constructor":null}', '{"__proto__":1.0}']) expect(JSON.stringify(readJson(text))).toBe(text)
  expect(Object.getPrototypeOf(readJson('{"__proto__":{"a":1.0}}'))).toBe(Object.prototype)
  expect(JSON.stringify({ ...readJson('{"__proto__":2.0,"a":1,"a":2}') as object })).toBe('{"__proto__":2.0,"a":2}')
})

test('what is no JSON is refused', () => {
  expect(() => readJson('{')).toThrow(SyntaxError)
})

test('whatever JSON.stringify writes comes back', () => {
  fc.assert(fc.property(fc.json(), (text) => {
    const written = JSON.stringify(JSON.parse(text))
    expect(JSON.stringify(readJson(written))).toBe(written)
  }))
})

test.each<[string, (length: number) => string]>([
  ['digits', (length) => ',' + '1'.repeat(length)], ['a fraction', (length) => ':1.' + '1'.repeat(length)], ['exponents', (length) => ':1' + 'e'.repeat(length)],
  ['zeros', (length) => ' -' + '0'.repeat(length)], ['spaces', (length) => ' 1.5' + ' '.repeat(length) + 'x'], ['numbers', (length) => ',1.5'.repeat(length / 4)],
])('a text of many %s takes no longer than one of others', (_what, made) => {
  const began = performance.now()
  expect(readJson(JSON.stringify({ a: made(400_000) }))).toEqual({ a: made(400_000) })
  expect(() => readJson(made(400_000))).toThrow(SyntaxError)
  // By the square of its length it would be minutes.
  expect(performance.now() - began).toBeLessThan(2_000)
})
