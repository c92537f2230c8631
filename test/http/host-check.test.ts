import { pino } from 'pino'
import { beforeEach, expect, test } from 'vitest'
import { createHostCheck } from '../../src/http/host-check.ts'
import { createAdmission } from '../../src/services/admission.ts'
import { manualClock } from '../manual-clock.ts'

let lines: { level: number; host: string; msg: string }[]
let refused: (host: string | undefined) => boolean
beforeEach(() => {
  lines = []
  const log = pino({}, { write: (line: string) => { lines.push(JSON.parse(line)) } })
  refused = createHostCheck({ admission: createAdmission({ clock: manualClock(), hosts: ['muslin.internal'], buildsPerClient: 1, metadataPerClient: 1, aheadPerClient: 1, queueLimit: 1 }), log })
})

test('our own names pass, and nothing is said of them', () => {
  for (const host of ['muslin.internal:8080', 'localhost', '10.0.0.1:8080', '[::1]']) expect([host, refused(host)]).toEqual([host, false])
  expect(lines).toEqual([])
})

test('another name is refused each time and told once, with the remedy', () => {
  for (const host of ['wheels.example', 'other.example', 'wheels.example', undefined, undefined]) expect(refused(host)).toBe(true)
  expect(lines.map(({ host }) => host)).toEqual(['wheels.example', 'other.example', '(none)'])
  expect(lines[0]).toMatchObject({ level: 40, msg: expect.stringMatching(/allowedHosts.*proxy_set_header Host \$http_host/) })
})

test('strangers who make names up fill no memory: the oldest is forgotten, and told again', () => {
  for (let n = 0; n <= 100; n++) refused(`n${n}.example`)
  refused('n100.example')
  expect(lines).toHaveLength(101)
  refused('n0.example')
  expect(lines).toHaveLength(102)
})

test('a hostile name makes no long line', () => {
  refused(`\x1b[2J${'x'.repeat(5_000)}`)
  expect(lines[0]?.host).toMatch(/^x{97}\.\.\.$/)
})
