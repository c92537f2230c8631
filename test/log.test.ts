import { expect, test } from 'vitest'
import { createLog } from '../src/log.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void, level = 'info'): string[] {
  const lines: string[] = []
  write(createLog(level, { write: (line) => { lines.push(line) } }))
  return lines
}

test('a line is one JSON object with its level and time', () => {
  const [line] = logged((log) => log.info({ project: 'six' }, 'page refreshed'))
  expect(JSON.parse(line ?? '')).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), project: 'six', msg: 'page refreshed' })
})

test('lower levels are left out', () => {
  expect(logged((log) => { log.debug('a'); log.warn('b') })).toHaveLength(1)
})

test.each([
  [{ headers: { authorization: 'Basic c3Bpcml0cw==', accept: 'x' } }],
  [{ request: { deep: { headers: { cookie: 'session=c3Bpcml0cw==', 'set-cookie': ['a=c3Bpcml0cw==', 'b=]c3Bpcml0cw=='] } } } }],
  [{ token: 'c3Bpcml0cw==', adminToken: 'c3Bpcml0cw==', password: 'a"c3Bpcml0cw==' }],
  [{ url: 'https://me:c3Bpcml0cw==@upstream.example/simple/' }],
  [{ url: 'https://me:x@c3Bpcml0cw==@upstream.example/simple/' }],
  [{ err: new Error('Bearer c3Bpcml0cw== was refused by https://c3Bpcml0cw==@upstream.example/') }],
])('secrets are taken out: %j', (fields) => {
  const [line] = logged((log) => log.info({ ...fields, kept: 'yes' }, 'said'))
  expect(line).not.toContain('c3Bpcml0cw==')
  expect(JSON.parse(line ?? '')).toMatchObject({ kept: 'yes', msg: 'said' })
})

test('addresses without credentials stay whole', () => {
  const url = 'https://upstream.example/a@b?c=d@e'
  expect(JSON.parse(logged((log) => log.info({ url }, 'x'))[0] ?? '')).toMatchObject({ url })
})
