import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseUserAgent } from '../../src/domain/client.ts'
import { createAdmission, type Admission, type Asker } from '../../src/services/admission.ts'
import { AGENTS } from '../http/rig.ts'
import { type Bench, makeBench } from './bench.ts'

const MINUTE = 60_000

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

function admission({ buildsPerClient = 100, queueLimit = 500 } = {}): Admission {
  return createAdmission({ jobs: bench.store.jobs, clock: bench.clock, hosts: ['Index.Internal', 'muslin.example'], buildsPerClient, queueLimit })
}

function asker(change: Partial<Asker> & { agent?: string } = {}): Asker {
  const { agent = AGENTS.pip, ...rest } = change
  return { client: parseUserAgent(agent), address: '10.0.0.1', admin: false, host: 'localhost:8080', site: undefined, ...rest }
}

let made = 0
function wish(askedBy = '10.0.0.1', kind: 'build' | 'metadata' = 'build') {
  made += 1
  return bench.wish({ kind, askedBy, recipe: `recipe-${made}` })
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('who', () => {
  test.each([
    ['pip', true], ['pipOnGlibc', true], ['uv', true], ['poetry', true], ['uvLock', false], ['browser', false],
  ] as const)('%s: %s', async (name, may) => {
    const asked = admission().admit(asker({ agent: AGENTS[name] }), 'build')
    if (may) expect(await asked).toBe('10.0.0.1')
    else await expect(asked).rejects.toEqual(code('start-refused'))
  })

  test('an admin may with any client, and is counted as such', async () => {
    expect(await admission().admit(asker({ agent: AGENTS.browser, admin: true }), 'build')).toBe('admin')
  })

  test('a page of another site may not, whoever opens it', async () => {
    for (const admin of [true, false]) expect(() => admission().check(asker({ site: 'cross-site', admin }))).toThrow('another site')
    expect(() => admission().check(asker({ site: 'same-origin' }))).not.toThrow()
  })
})

describe('under which name', () => {
  test.each([
    'localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '[::1]:8080', '[::1]', '192.168.7.9', 'host.docker.internal:8080',
    'index.internal', 'index.internal.:443', 'muslin.example:',
  ])('%s is its own', (host) => {
    expect(admission().isOwnHost(host)).toBe(true)
  })

  test.each([undefined, '', 'evil.example', 'localhost.evil.example', 'evil.example:127', '127.0.0.1.evil.example', 'muslin.example@evil.example', '[evil.example]'])('%s is not', async (host) => {
    expect(admission().isOwnHost(host)).toBe(false)
    await expect(admission().admit(asker({ host }), 'build')).rejects.toEqual(code('start-refused'))
    await expect(admission().admit(asker({ host, admin: true }), 'build')).rejects.toThrow('allowedHosts')
  })
})

describe('how many', () => {
  test('builds of one client within an hour; metadata, others and the admin are not counted with it', async () => {
    const { admit } = admission({ buildsPerClient: 2 })
    await wish()
    await wish('10.0.0.2')
    await wish('10.0.0.1', 'metadata')
    expect(await admit(asker(), 'build')).toBe('10.0.0.1')
    await bench.clock.advance(10 * MINUTE)
    await wish()
    await expect(admit(asker(), 'build')).rejects.toEqual(code('too-many-builds'))
    expect(await admit(asker(), 'metadata')).toBe('10.0.0.1')
    expect(await admit(asker({ address: '10.0.0.2' }), 'build')).toBe('10.0.0.2')
    expect(await admit(asker({ admin: true }), 'build')).toBe('admin')
    await bench.clock.advance(51 * MINUTE)
    expect(await admit(asker(), 'build')).toBe('10.0.0.1')
  })

  test('queued of each kind, the admin\'s too', async () => {
    const { admit } = admission({ queueLimit: 2 })
    await wish()
    await wish('10.0.0.2')
    await expect(admit(asker(), 'build')).rejects.toEqual(code('queue-full'))
    await expect(admit(asker({ admin: true }), 'build')).rejects.toThrow('raise queueLimit')
    expect(await admit(asker(), 'metadata')).toBe('10.0.0.1')
    await bench.claim()
    expect(await admit(asker(), 'build')).toBe('10.0.0.1')
  })
})

describe('ahead of anybody who waits', () => {
  test('twenty a minute, then silence and no error', async () => {
    const { admitAhead } = admission()
    for (let n = 0; n < 20; n++) {
      expect(await admitAhead(asker())).toBe('10.0.0.1')
      await wish()
    }
    expect(await admitAhead(asker())).toBeUndefined()
    expect(await admitAhead(asker({ address: '10.0.0.2' }))).toBe('10.0.0.2')
    await bench.clock.advance(MINUTE + 1)
    expect(await admitAhead(asker())).toBe('10.0.0.1')
  })

  test('a refusal is silent, a broken database is not', async () => {
    expect(await admission().admitAhead(asker({ host: 'evil.example' }))).toBeUndefined()
    const jobs = { ...bench.store.jobs, countBy: async () => { throw new Error('the disk is gone') } }
    const broken = createAdmission({ jobs, clock: bench.clock, hosts: [], buildsPerClient: 1, queueLimit: 1 })
    await expect(broken.admitAhead(asker())).rejects.toThrow('the disk is gone')
  })
})
