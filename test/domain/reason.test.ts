import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FAILURE_CLASSES, type FailureClass } from '../../src/domain/failure.ts'
import { failureLine, metadataChangedLine, reasonLine, stillBuildingLine } from '../../src/domain/reason.ts'

const link = 'http://muslin.example:8080/b/42'

test('a failure names the cause and the log', () => {
  expect(failureLine({ project: 'cffi', version: '1.17', failure: { class: 'missing-header', key: 'ffi.h' }, link }))
    .toBe(`Muslin: cffi 1.17 needs header ffi.h, see ${link}`)
})

test.each([
  [360, 'Muslin: numpy 1.19.5 is still building, about 6 min left, run again'], [301, 'Muslin: numpy 1.19.5 is still building, about 6 min left, run again'],
  [undefined, 'Muslin: numpy 1.19.5 is still building, run again'], [0, 'Muslin: numpy 1.19.5 is still building, run again'],
  [Number.NaN, 'Muslin: numpy 1.19.5 is still building, run again'],
])('with %s seconds left', (secondsLeft, line) => {
  expect(stillBuildingLine({ project: 'numpy', version: '1.19.5', secondsLeft })).toBe(line)
  expect(stillBuildingLine({ project: 'numpy', version: '1.19.5', secondsLeft, link })).toBe(`${line}, see ${link}`)
})

test('changed metadata asks for another run', () => {
  expect(metadataChangedLine({ project: 'a', version: '1', link })).toBe(`Muslin: the metadata of a 1 was changed by the build, run again, see ${link}`)
})

test('every line is short printable ASCII, and never loses its link', () => {
  const failureClass = fc.constantFrom(...Object.keys(FAILURE_CLASSES) as FailureClass[])
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ maxLength: 300 }), failureClass, (key, version, kind) => {
    const line = failureLine({ project: 'foo', version, failure: { class: kind, key }, link })
    expect(line).toMatch(/^Muslin: [\x20-\x7e]+$/)
    expect(line.length).toBeLessThanOrEqual(200)
    expect(line.endsWith(`, see ${link}`)).toBe(true)
  }))
  expect(reasonLine('x'.repeat(500)).length).toBe(200)
})
