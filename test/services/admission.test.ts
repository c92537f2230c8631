import { describe, expect, test } from 'vitest'
import { parseUserAgent } from '../../src/domain/client.ts'
import { createAdmission, type Admission, type Asker } from '../../src/services/admission.ts'
import { AGENTS } from '../http/rig.ts'
import { manualClock } from '../manual-clock.ts'

function admission(): Admission {
  return createAdmission({ clock: manualClock(), hosts: ['Index.Internal', 'muslin.example'], buildsPerClient: 100, metadataPerClient: 1000, aheadPerClient: 20, queueLimit: 500 })
}

function asker(change: Partial<Asker> & { agent?: string } = {}): Asker {
  const { agent = AGENTS.pip, ...rest } = change
  return { client: parseUserAgent(agent), address: '10.0.0.1', admin: false, host: 'localhost:8080', site: undefined, ...rest }
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('who', () => {
  test.each([
    ['pip', true], ['pipOnGlibc', true], ['uv', true], ['poetry', true], ['uvLock', false], ['browser', false],
  ] as const)('%s: %s', (name, may) => {
    const asked = () => admission().admit(asker({ agent: AGENTS[name] }), 'build')
    if (may) expect(asked().askedBy).toBe('10.0.0.1')
    else expect(asked).toThrow(code('start-refused'))
  })

  test('an admin may with any client, and is counted as such', () => {
    expect(admission().admit(asker({ agent: AGENTS.browser, admin: true }), 'build').askedBy).toBe('admin')
  })

  test('a page of another site may not, whoever opens it', () => {
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

  test.each([undefined, '', 'evil.example', 'localhost.evil.example', 'evil.example:127', '127.0.0.1.evil.example', 'muslin.example@evil.example', '[evil.example]'])('%s is not', (host) => {
    expect(admission().isOwnHost(host)).toBe(false)
    expect(() => admission().admit(asker({ host }), 'build')).toThrow(code('start-refused'))
    expect(() => admission().admitAhead(asker({ host, admin: true }))).toThrow('allowedHosts')
  })
})
