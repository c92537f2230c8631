import { expect, test } from 'vitest'
import { MuslinError } from '../src/errors.ts'

test('an error carries its status from the table', () => {
  const error = new MuslinError('no-such-file', 'no file of that digest was ever listed')
  expect(error.status).toBe(404)
  expect(error.message).toBe('No such file is recorded: no file of that digest was ever listed')
})
