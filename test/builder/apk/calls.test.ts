import { describe, expect, test } from 'vitest'
import { APK_CALLS, apkFailure, type ApkCall } from '../../../src/builder/apk/calls.ts'

/** Of apk(8), apk-add(8), apk-fetch(8), apk-info(8) and apk-list(8) of apk-tools 2.14, with whether each takes a value. */
const GLOBAL: Record<string, boolean> = {
  '--print-arch': false, '--no-cache': false, '--no-network': false, '--keys-dir': true, '--repositories-file': true, '--timeout': true, '--no-check-certificate': false,
}
const DOCUMENTED: Record<string, Record<string, boolean>> = {
  add: { ...GLOBAL, '--upgrade': false, '--simulate': false, '--no-scripts': false },
  fetch: { ...GLOBAL, '--output': true },
  info: { ...GLOBAL, '--who-owns': false },
  list: { ...GLOBAL, '--installed': false },
}

const calls: [string, ApkCall][] = Object.entries(APK_CALLS)
const GIVEN = { repositories: '/tmp/muslin/repositories', folder: '/tmp/muslin/apks', names: ['libffi-dev', 'zlib-dev'], untrustedTls: true, upgrade: true }

describe.each(calls)('the call %s', (_, call) => {
  const [program, ...words] = call.command(GIVEN)

  test('is made of documented options, with names behind --', () => {
    expect(program).toBe('apk')
    const command = words[0]?.startsWith('--') ? undefined : words.shift()
    const documented = command === undefined ? GLOBAL : DOCUMENTED[command]
    const end = words.indexOf('--')
    const options = end < 0 ? words : words.slice(0, end)
    while (options.length > 0) {
      const option = options.shift() ?? ''
      expect(documented).toHaveProperty(option)
      if (documented?.[option]) expect(options.shift()).toMatch(/^[^-]/)
    }
    expect(end < 0 ? [] : words.slice(end + 1)).toEqual(end < 0 ? [] : GIVEN.names)
  })

  test('trusts nothing that its keys do not', () => {
    expect(words).not.toContain('--allow-untrusted')
    if (words.includes('--repositories-file') && !words.includes('/dev/null')) expect(words.join(' ')).toContain('--keys-dir /etc/apk/keys')
  })

  test('has a meaning for 0 and for every other exit code', () => {
    expect(call.exits.filter(({ code }) => code === 0)).toEqual([{ code: 0, means: 'done', then: 'goes on' }])
    expect(call.exits.at(-1)).toMatchObject({ code: 'other' })
    expect(call.exits.at(-1)).not.toHaveProperty('says')
    expect(apkFailure(call, 0, '')).toBeUndefined()
    for (const code of [1, 2, 98, 99, 125, 127, 137]) expect(apkFailure(call, code, '')?.class ?? 'goes on').toBe(call.exits.at(-1)?.then)
  })
})

test('runs that reach a network install nothing, and the one that installs reaches none', () => {
  for (const [, call] of calls) {
    const words = call.command(GIVEN)
    expect(call.run === 'system').toBe(words.includes('add') && !words.includes('--simulate'))
    expect(words.includes('--no-network')).toBe(call.run === 'system')
    expect(words.includes('--no-scripts')).toBe(call.run === 'system')
    expect(words.includes('--timeout')).toBe(call.run === 'fetch')
  }
})

test('a certificate is passed over where Muslin has one, and only then', () => {
  expect(APK_CALLS.plan.command({ ...GIVEN, untrustedTls: false })).not.toContain('--no-check-certificate')
  expect(APK_CALLS.fetch.command({ ...GIVEN, untrustedTls: true })).toContain('--no-check-certificate')
})

// As apk-tools 2.14.10 wrote them.
const FETCH = 'fetch http://172.30.0.1:8080/apk/v3.19/main/x86_64/APKINDEX.tar.gz\n'
test.each<[keyof typeof APK_CALLS, number, string, string | undefined, RegExp]>([
  ['plan', 0, `${FETCH}(1/1) Installing zlib-dev (1.3.1-r0)\nOK: 0 MiB in 2 packages\n`, undefined, /^$/],
  ['plan', 1, `${FETCH}ERROR: unable to select packages:\n  nope (no such package):\n    required by: world[nope]\n`, 'build-failed', /^apk add \(unable to select packages: nope \(no such package\): required by: world\[nope\]\)$/],
  ['plan', 1, `${FETCH}WARNING: fetching http://172.30.0.1:8080/apk/v3.19/main: UNTRUSTED signature\nERROR: unable to select packages:\n  zlib-dev (no such package):\n`, 'infrastructure', /UNTRUSTED signature/],
  ['plan', 1, `${FETCH}WARNING: fetching http://172.30.0.1:8080/apk/v3.19/main: could not connect to server (check repositories file)\nERROR: unable to select packages:\n`, 'infrastructure', /could not connect/],
  ['plan', 1, `${FETCH}WARNING: fetching http://172.30.0.1:8080/apk/v3.19/main: DNS lookup error\nERROR: unable to select packages:\n  x (no such package):\n`, 'infrastructure', /DNS lookup error/],
  ['plan', 2, `${FETCH}ERROR: unable to select packages:\n  ldns-dev-1.8.3-r2:\n    conflicts: ldns-compat-1.0-r0[cmd:ldns-config=1.8.3-r2]\n  network error-1-r0:\n`, 'build-failed', /conflicts: ldns-compat/],
  ['plan', 99, 'ERROR: Unable to lock database: Permission denied\nERROR: Failed to open apk database: Permission denied\n', 'build-failed', /Unable to lock database/],
  ['fetch', 2, `${FETCH}nope: unable to select package (or its dependencies)\n`, 'infrastructure', /exit code 2/],
  ['fetch', 1, `${FETCH}Downloading zlib-1.3.1-r0\nERROR: zlib-1.3.1-r0: BAD archive\n`, 'infrastructure', /^apk fetch \(zlib-1\.3\.1-r0: BAD archive\)$/],
  ['fetch', 1, 'ERROR: zlib-1.3.1-r0: No space left on device\n', 'out-of-disk', /No space left/],
  ['add', 1, '(1/1) Installing group (1-r0)\nERROR: group-1-r0: package mentioned in index not found (try \'apk update\')\n1 error; 0 MiB in 2 packages\n', 'build-failed', /mentioned in index/],
  ['add', 1, 'ERROR: x-1-r0: UNTRUSTED signature\n', 'infrastructure', /UNTRUSTED/],
  ['plan', 1, `${FETCH}WARNING: fetching http://172.30.0.1:8080/apk/v3.19/main: BAD signature\nERROR: unable to select packages:\n`, 'infrastructure', /BAD signature/],
  ['owners', 1, 'ERROR: /usr/lib/nope: Could not find owner package\n', undefined, /^$/],
  ['arch', 127, '', undefined, /^$/],
])('%s that ends with %i: %j', (name, code, text, expected, key) => {
  const failure = apkFailure(APK_CALLS[name], code, text)
  expect(failure?.class).toBe(expected)
  expect(failure?.key ?? '').toMatch(key)
})

test('what apk says is fit for a line', () => {
  expect(apkFailure(APK_CALLS.add, 1, 'ERROR: \x1b]0;title\x07a\tb \u202e\n')?.key).toBe('apk add (a b ?)')
})
