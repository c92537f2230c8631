import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PAGES } from '../../tools/docs.ts'

test.each(Object.entries(PAGES))('docs/%s is what the code says (else run: npm run docs)', (file, page) => {
  expect(readFileSync(join(import.meta.dirname, '../../docs', file), 'utf8')).toBe(page())
})
