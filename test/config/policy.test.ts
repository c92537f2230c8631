import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import { serverRules, viewRules } from '../../src/config/policy.ts'
import { areEmpty, projectVerdict } from '../../src/domain/policy.ts'
import { MuslinError } from '../../src/errors.ts'

const machine = { cores: 8, memory: 8 * 1024 ** 3, cpu: 'x86_64', pythons: ['3.13'] }
const DAY = 24 * 60 * 60 * 1000
let cwd: string
beforeEach(() => { cwd = mkdtempSync(join(tmpdir(), 'muslin-policy-')) })
afterEach(() => rmSync(cwd, { recursive: true }))

function load({ toml = '', env = {}, flags = {} }: { toml?: string; env?: Record<string, string>; flags?: Record<string, unknown> }) {
  writeFileSync(join(cwd, 'muslin.toml'), toml)
  return loadSettings({ flags, env, cwd, machine })
}

function refusal(input: Parameters<typeof load>[0]): string {
  try {
    load(input)
  } catch (error) {
    if (error instanceof MuslinError && error.code === 'bad-settings') return error.detail
    throw error
  }
  throw new Error('the settings were accepted')
}

describe('the rules of the server', () => {
  test('are none by default', () => {
    expect(areEmpty(serverRules(load({})))).toBe(true)
    expect(viewRules(load({})).size).toBe(0)
  })

  test('come from the file, from variables and from flags; a comma within specifiers does not part them', () => {
    const expected = ['django>=4, <5', 'acme-*', 'six']
    expect(load({ toml: 'deny = ["django>=4, <5", "acme-*", "six"]' }).deny).toEqual(expected)
    expect(load({ env: { MUSLIN_DENY: 'django>=4, <5,acme-*, six' } }).deny).toEqual(expected)
    expect(load({ flags: { deny: ['django>=4, <5', 'acme-*,six'] } }).deny).toEqual(expected)
    expect(serverRules(load({ toml: 'cooldown = "3d"\ncooldownExempt = ["six==1.17.0"]' }))).toMatchObject({ of: '', cooldown: 3 * DAY, exempt: [{ name: 'six' }] })
  })

  test('of an allow list that is empty let nothing be served; an empty variable is no list', () => {
    for (const given of [{ toml: 'allow = []' }, { env: { MUSLIN_ALLOW: ',' } }, { toml: 'allow = ""' }]) {
      expect(projectVerdict('demo', serverRules(load(given)))).toMatchObject({ by: 'allow' })
    }
    expect(projectVerdict('demo', viewRules(load({ toml: '[views.approved]\nallow = []' })).get('approved')!)).toMatchObject({ by: 'allow', setting: 'views.approved.allow' })
    expect(areEmpty(serverRules(load({ env: { MUSLIN_ALLOW: '' } })))).toBe(true)
  })

  test.each([
    [{ env: { MUSLIN_DENY: 'dja ngo' } }, /^deny is "dja ngo", set by MUSLIN_DENY; accepted: projects such as/],
    [{ toml: 'allow = ["django<"]' }, /^allow is \["django<"\], set by muslin.toml/],
    [{ flags: { cooldown: 'soon' } }, /^cooldown is "soon", set by --cooldown; accepted: a duration/],
    [{ toml: 'cooldownExempt = "six[x]==1"' }, /^cooldownExempt is/],
  ])('that are malformed stop the start: %#', (given, line) => { expect(refusal(given)).toMatch(line) })
})

describe('views', () => {
  const toml = `
cooldownExempt = ["acme-*"]
[views.lts]
deny = ["django>=5"]
cooldown = "7d"
cooldownExempt = ["six"]
[views."2026.q1"]
before = 2026-03-31
[views.moment]
before = 2026-03-31T10:00:00+02:00
`

  test('are tables of the file, each with its own rules; what the server exempts is exempt on them too', () => {
    const rules = viewRules(load({ toml }))
    expect([...rules.keys()]).toEqual(['lts', '2026.q1', 'moment'])
    expect(rules.get('lts')).toMatchObject({ of: 'views.lts.', allow: undefined, deny: [{ name: 'django' }], cooldown: 7 * DAY, exempt: [{ name: 'acme-*' }, { name: 'six' }], before: undefined })
    expect(rules.get('2026.q1')?.before).toBe(Date.parse('2026-03-31T23:59:59.999Z'))
    expect(rules.get('moment')?.before).toBe(Date.parse('2026-03-31T08:00:00Z'))
  })

  test('may be given as TOML by a flag or a variable', () => {
    const given = 'lts = { deny = ["django>=5"], before = "2026-03-31" }'
    for (const input of [{ env: { MUSLIN_VIEWS: given } }, { flags: { views: given } }]) {
      expect(load({ toml, ...input }).views).toEqual({ lts: { deny: ['django>=5'], before: '2026-03-31' } })
    }
  })

  test.each([
    ['[views.lts]\ncooldown = "soon"', 'views.lts.cooldown is "soon", set by muslin.toml; accepted: a duration such as 90s, 30m, 2h or 3d, or seconds'],
    ['[views.lts]\ncooldwn = "7d"', 'views.lts.cooldwn is "7d", set by muslin.toml; that is no setting of a view; did you mean cooldown?'],
    ['[views.lts]\nbefore = "2026-02-30"', 'views.lts.before is "2026-02-30", set by muslin.toml; accepted: a day such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z'],
    ['[views.lts]\nbefore = 2026-01-31T12:00:00', /^views.lts.before is "2026-01-31T12:00:00.000", set by muslin.toml; accepted: a day/],
    ['[views.lts]\nallow = ["a b"]', /^views.lts.allow is \["a b"\], set by muslin.toml; accepted: projects such as/],
    ['[views."a/b"]\ncooldown = 1', /^views.a\/b is .*set by muslin.toml; accepted as names of views: letters/],
    ['[views]\nlts = 5', 'views.lts is 5, set by muslin.toml; accepted: a table with allow, deny, cooldown, cooldownExempt, before'],
    ['views = 5', /^views is 5, set by muslin.toml; accepted: tables by the names/],
  ])('that are malformed are told by name and key: %s', (given, line) => { expect(refusal({ toml: given })).toMatch(line) })

  test('as text are refused by their place too', () => {
    expect(refusal({ env: { MUSLIN_VIEWS: 'lts = { deny = ["a b"] }' } })).toMatch(/^views.lts.deny is "lts = .*set by MUSLIN_VIEWS; accepted: projects/)
    expect(refusal({ env: { MUSLIN_VIEWS: 'lts: deny' } })).toMatch(/^views is "lts: deny", set by MUSLIN_VIEWS; accepted: tables/)
  })
})
