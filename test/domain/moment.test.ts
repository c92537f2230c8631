import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatMoment, parseMoment, parseSpan } from '../../src/domain/moment.ts'

describe('a moment', () => {
  test.each([
    ['2024-05-06T07:08:09Z', '2024-05-06T07:08:09.000Z'],
    ['2024-05-06T07:08:09.5Z', '2024-05-06T07:08:09.500Z'],
    ['2024-05-06T07:08:09.000010Z', '2024-05-06T07:08:09.000Z'],
    ['2024-05-06t07:08:09.999999z', '2024-05-06T07:08:09.999Z'],
    ['2024-05-06T07:08:09+02:00', '2024-05-06T05:08:09.000Z'],
    ['2024-12-31T23:30:00-01:30', '2025-01-01T01:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('%s', (text, iso) => { expect(parseMoment(text)).toBe(Date.parse(iso)) })

  test.each([
    '', '2024-05-06', '2024-05-06T07:08:09', '2024-05-06 07:08:09Z', '2024-5-6T07:08:09Z', '2024-02-30T00:00:00Z', '2023-02-29T00:00:00Z', '2024-13-01T00:00:00Z',
    '2024-05-06T24:00:00Z', '2024-05-06T07:60:00Z', '2024-05-06T07:08:60Z', '2024-05-06T07:08:09+24:00', '2024-05-06T07:08:09+01:60', 'Mon, 06 May 2024 07:08:09 GMT', '1714979289',
    '0099-01-01T00:00:00Z', '2024-05-06T07:08:09Z ', '٢٠٢٤-05-06T07:08:09Z',
  ])('is not %j', (text) => { expect(parseMoment(text)).toBeUndefined() })

  test('every one that JavaScript writes is read as itself', () => {
    const written = fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    fc.assert(fc.property(written, (date) => { expect(parseMoment(date.toISOString())).toBe(date.getTime()) }))
  })

  test('is told to people by the minute in which it has come', () => {
    expect(formatMoment(Date.parse('2026-11-25T08:00:00Z'))).toBe('2026-11-25 08:00 UTC')
    expect(formatMoment(Date.parse('2026-11-25T08:00:00.001Z'))).toBe('2026-11-25 08:01 UTC')
  })
})

describe('a span', () => {
  test('is a whole day in UTC, or one moment', () => {
    expect(parseSpan('2024-05-06')).toEqual({ first: Date.parse('2024-05-06T00:00:00Z'), last: Date.parse('2024-05-06T23:59:59.999Z') })
    const moment = Date.parse('2024-05-06T07:08:09Z')
    expect(parseSpan('2024-05-06T09:08:09+02:00')).toEqual({ first: moment, last: moment })
  })

  test.each(['', 'yesterday', '2024-05', '2024-02-30', '2024-05-06T07:08:09', '20240506', '0000-00-00', '2024-05-06/'])('is not %j', (text) => {
    expect(parseSpan(text)).toBeUndefined()
  })
})
