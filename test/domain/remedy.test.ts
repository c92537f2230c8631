import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FAILURE_CLASSES, type FailureClass } from '../../src/domain/failure.ts'
import { apksOf, remedyOf } from '../../src/domain/remedy.ts'

test('names the apk where it is known', () => {
  expect(remedyOf({ class: 'missing-header', key: 'ffi.h' })).toBe('add the apk libffi-dev to the project\'s recipe, or use a builder image that holds it')
  expect(remedyOf({ class: 'missing-command', key: 'pg_config' })).toBe('add the apk libpq-dev (or postgresql-dev) to the project\'s recipe, or use a builder image that holds it')
})

test('believes what the builder found in its image\'s repositories before the table', () => {
  expect(apksOf({ class: 'missing-header', key: 'ffi.h', apks: ['libffi-next-dev'] })).toEqual(['libffi-next-dev'])
  expect(remedyOf({ class: 'missing-header', key: 'ffi.h', apks: [] })).toBe(FAILURE_CLASSES['missing-header'].remedy)
  expect(apksOf({ class: 'missing-header', key: 'ffi.h', apks: ['--allow-untrusted', 'A B', 'ok-dev'] })).toEqual(['ok-dev'])
})

test('says why nothing can be added', () => {
  expect(remedyOf({ class: 'missing-header', key: 'execinfo.h' })).toMatch(/^no apk can help: musl has no backtrace/)
})

test('names the requirement of a Python module', () => {
  expect(remedyOf({ class: 'missing-python-module', key: 'numpy' })).toBe('add numpy to the build requirements in the project\'s recipe')
  expect(remedyOf({ class: 'missing-python-module', key: 'its_own_setup' })).toBe(FAILURE_CLASSES['missing-python-module'].remedy)
})

test('is one line of text for every class and key', () => {
  const failureClass = fc.constantFrom(...Object.keys(FAILURE_CLASSES) as FailureClass[])
  fc.assert(fc.property(failureClass, fc.string({ unit: 'binary', maxLength: 60 }), fc.option(fc.array(fc.string({ unit: 'binary' })), { nil: undefined }), (kind, key, apks) => {
    expect(remedyOf({ class: kind, key, ...apks && { apks } })).toMatch(/^[\x20-\x7e]+$/)
  }))
})
