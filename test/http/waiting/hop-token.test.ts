import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHopTokens } from '../../../src/http/waiting/hop-token.ts'

const tokens = createHopTokens({ key: 'a key' })

test('a token carries its hop, for its path and key alone', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 0, max: 8.64e14 }), fc.integer({ min: 0, max: 8.64e14 }), (number, began, issued) => {
    const token = tokens.issue('/promise/a/b.whl', { number, began, issued })
    expect(tokens.read('/promise/a/b.whl', token)).toEqual({ number, began, issued })
    expect(() => tokens.read('/promise/a/c.whl', token)).toThrow('not one of ours')
    expect(() => createHopTokens({ key: 'another' }).read('/promise/a/b.whl', token)).toThrow('not one of ours')
  }))
})

test('whatever else stands there is refused, nothing is the first address', () => {
  expect(tokens.read('/x', undefined)).toEqual({ number: 0, began: undefined, issued: undefined })
  fc.assert(fc.property(fc.string(), (text) => {
    expect(() => tokens.read('/x', text)).toThrow('not one of ours')
  }))
})
