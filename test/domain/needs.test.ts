import { describe, expect, test } from 'vitest'
import { FAILURE_CLASSES } from '../../src/domain/failure.ts'
import { boundFailure, circleFailure, failureOfNeed, unmetFailure } from '../../src/domain/needs.ts'

const NUMPY = { project: 'numpy', version: '1.26.4', id: 12 }
const said = ({ class: name, key }: { class: keyof typeof FAILURE_CLASSES; key: string }) => FAILURE_CLASSES[name].cause(key)

describe('why a build fails whose requirement cannot be had', () => {
  test('the requirement, and its own cause', () => {
    const failure = failureOfNeed('numpy<2', { ...NUMPY, failure: { class: 'missing-header', key: 'cblas.h' } })
    expect(failure).toEqual({ class: 'build-requirement-unbuildable', key: 'numpy<2 (numpy 1.26.4 needs header cblas.h)', job: 12 })
    expect(said(failure)).toBe('its build requirement numpy<2 (numpy 1.26.4 needs header cblas.h) has no wheel')
  })

  test('the machine, where that was at fault', () => {
    const failure = failureOfNeed('numpy<2', { ...NUMPY, failure: { class: 'infrastructure', key: 'no engine answers' } })
    expect(failure).toMatchObject({ class: 'infrastructure', job: 12 })
    expect(said(failure)).toBe('could not be built just now: its build requirement numpy<2 (numpy 1.26.4 could not be built just now: no engine answers)')
  })

  test('nobody knows', () => {
    expect(failureOfNeed('numpy<2', { ...NUMPY, failure: undefined }).key).toBe('numpy<2 (numpy 1.26.4 was not built)')
  })

  test('a circle, a wheel that does not serve, and each bound, in words', () => {
    expect(circleFailure('b', [{ project: 'a', version: '1' }, { project: 'b', version: '2' }, { project: 'a', version: '1' }]).key).toBe('b (a 1 needs b 2 needs a 1: a circle)')
    expect(unmetFailure('numpy<2', NUMPY)).toEqual({ class: 'build-requirement-unbuildable', key: 'numpy<2 (the wheel of numpy 1.26.4 is there, and does not serve)', job: 12 })
    for (const bound of ['needs', 'waits', 'chain'] as const) expect(boundFailure('x', bound).key).toMatch(/^x \(.*\d+/)
  })

  test('what a requirement or a log says stays one plain line', () => {
    const { key } = failureOfNeed('numpy\r\n\u202e<2', { ...NUMPY, failure: { class: 'build-failed', key: 'x'.repeat(500) } })
    expect(key).toMatch(/^[\x20-\x7e]{1,200}$/)
  })
})
