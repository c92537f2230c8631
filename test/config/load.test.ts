import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SettingsInput } from '../../src/config/load.ts'
import { loadSettings } from '../../src/config/load.ts'
import { MuslinError } from '../../src/errors.ts'

const machine = { cores: 8, memory: 8 * 1024 ** 3, cpu: 'x86_64', pythons: ['3.12', '3.13'] }
let cwd: string
beforeEach(() => { cwd = mkdtempSync(join(tmpdir(), 'muslin-settings-')) })
afterEach(() => rmSync(cwd, { recursive: true }))

function load(input: Partial<SettingsInput> & { toml?: string }) {
  if (input.toml !== undefined) writeFileSync(join(cwd, 'muslin.toml'), input.toml)
  return loadSettings({ flags: input.flags ?? {}, env: input.env ?? {}, cwd, machine: input.machine ?? machine })
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

describe('defaults', () => {
  test('stand where nothing is given', () => {
    expect(load({})).toMatchObject({
      role: 'all', host: 'auto', port: 8080, publicUrl: undefined, data: './data', builder: 'auto', workers: 2, workerMemory: 6 * 1024 ** 3,
      limits: { cpu: 2, memory: 4 * 1024 ** 3, disk: 4 * 1024 ** 3, time: 1800 }, buildsPerClient: 100, metadataPerClient: 1000, aheadPerClient: 20, queueLimit: 500, pageFreshness: 60, pageCacheSize: 48 * 1024 ** 2, cacheSize: undefined,
    })
  })

  test('make a target of each Python in support, on this CPU', () => {
    expect(load({}).targets).toEqual(['cp312-musllinux_1_2_x86_64', 'cp313-musllinux_1_2_x86_64'])
  })

  test('take no more cores than there are', () => {
    expect(load({ machine: { ...machine, cores: 1 } }).limits.cpu).toBe(1)
  })
})

describe('precedence', () => {
  const toml = 'port = 1\nworkers = 1\ndata = "from-file"\n[limits]\ncpu = 1.5\n'

  test('is flag, environment, file', () => {
    const settings = load({ toml, env: { MUSLIN_PORT: '2', MUSLIN_WORKERS: '2' }, flags: { port: '3' } })
    expect(settings).toMatchObject({ port: 3, workers: 2, data: 'from-file', limits: { cpu: 1.5 } })
  })

  test('a nested setting has its variable and its flag', () => {
    expect(load({ toml, env: { MUSLIN_LIMITS_CPU: '3' } }).limits.cpu).toBe(3)
    expect(load({ toml, env: { MUSLIN_LIMITS_CPU: '3' }, flags: { 'limits.cpu': '4' } }).limits.cpu).toBe(4)
  })

  test('an empty variable counts as not set', () => {
    expect(load({ toml, env: { MUSLIN_PORT: '' } }).port).toBe(1)
  })

  test('the file is the one that --config, or MUSLIN_CONFIG, names', () => {
    writeFileSync(join(cwd, 'a.toml'), 'port = 11')
    writeFileSync(join(cwd, 'b.toml'), 'port = 12')
    expect(load({ toml, env: { MUSLIN_CONFIG: 'a.toml' } }).port).toBe(11)
    expect(load({ toml, env: { MUSLIN_CONFIG: 'a.toml' }, flags: { config: 'b.toml' } }).port).toBe(12)
  })
})

describe('values', () => {
  test.each([['512', 512], ['2k', 2048], ['1.5m', 1.5 * 1024 ** 2], ['2g', 2 * 1024 ** 3], ['2 GiB', 2 * 1024 ** 3]])('the size %s', (given, bytes) => {
    expect(load({ env: { MUSLIN_LIMITS_MEMORY: given } }).limits.memory).toBe(bytes)
  })

  test.each([['90', 90], ['90s', 90], ['30m', 1800], ['2h', 7200], ['1d', 86400]])('the duration %s', (given, seconds) => {
    expect(load({ env: { MUSLIN_LIMITS_TIME: given } }).limits.time).toBe(seconds)
  })

  test('images by target: repeated flags, commas in the environment, a table in the file', () => {
    const images = { 'cp312-musllinux_1_2_x86_64': 'a:1', 'cp313-musllinux_1_2_x86_64': 'registry.example:5000/b@sha256:00' }
    const words = Object.entries(images).map(([target, image]) => `${target}=${image}`)
    expect(load({ flags: { builderImages: words } }).builderImages).toEqual(images)
    expect(load({ env: { MUSLIN_BUILDERIMAGES: words.join(', ') } }).builderImages).toEqual(images)
    expect(load({ toml: `[builderImages]\n${Object.entries(images).map(([target, image]) => `${target} = "${image}"`).join('\n')}` }).builderImages).toEqual(images)
  })

  test('lists: repeated flags, commas, an array in the file', () => {
    expect(load({ flags: { allowedHosts: ['a.example', 'b.example,c.example'] } }).allowedHosts).toEqual(['a.example', 'b.example', 'c.example'])
    expect(load({ env: { MUSLIN_ALLOWEDHOSTS: 'a.example, b.example' } }).allowedHosts).toEqual(['a.example', 'b.example'])
    expect(load({ toml: 'allowedHosts = ["a.example"]' }).allowedHosts).toEqual(['a.example'])
  })

  test.each([['yes', true], ['true', true], ['0', false], ['No', false]])('%s is %s', (given, meant) => {
    expect(load({ env: { MUSLIN_BEHINDPROXY: given } }).behindProxy).toBe(meant)
  })

  test('a ready builder image makes its target a target', () => {
    expect(load({ flags: { builderImages: ['cp39-musllinux_1_2_x86_64=old'] } }).targets).toContain('cp39-musllinux_1_2_x86_64')
  })
})

describe('refusals', () => {
  test('name the option, where it was set, and what is accepted', () => {
    expect(refusal({ flags: { port: 'http' } })).toBe('port is "http", set by --port; accepted: a whole number from 0 to 65535')
    expect(refusal({ env: { MUSLIN_LIMITS_MEMORY: 'much' } })).toMatch(/^limits\.memory is "much", set by MUSLIN_LIMITS_MEMORY; accepted: a size such as/)
    expect(refusal({ toml: 'builder = "podmann"' })).toBe('builder is "podmann", set by muslin.toml; accepted: one of auto, docker, podman, embedded, none')
  })

  test.each([
    ['port', '65536'], ['port', '-1'], ['port', '80.5'], ['publicUrl', 'muslin.example'], ['publicUrl', 'ftp://muslin.example'],
    ['limits.cpu', '0'], ['limits.memory', '0'], ['limits.memory', '1x'], ['limits.time', '-1m'], ['workers', '0'],
    ['builderImages', 'cp313-musllinux_1_2_x86_64'], ['behindProxy', 'maybe'],
  ])('%s = %s', (name, value) => {
    expect(refusal({ flags: { [name]: value } })).toContain(`${name} is `)
  })

  test('keep a password out of the message', () => {
    expect(refusal({ env: { MUSLIN_UPSTREAM: 'ftp://me:secret@upstream.example/' } })).not.toContain('secret')
    for (const address of ['https://me:secret@part2@host^.example/', 'https://me:x/secret@host.example/', 'https://me:x"secret@host^.example/', 'ftp:me:secret@host.example', 'https:\\\\me:x\\secret@h.example', 'http://ok.example/, ftp://me:se cret@h.example']) {
      expect(refusal({ toml: `upstream = ${JSON.stringify(address)}` })).toMatch(/^upstream is .*\[redacted\]@(?!part2)/)
      expect(refusal({ env: { MUSLIN_UPSTREAM: address } })).not.toMatch(/secret|se cret|part2/)
    }
    expect(refusal({ toml: '[upstream.company]\npassword = "a\\"secret"\nusername = "\\"secret"' })).not.toContain('secret')
  })

  test('an unknown variable or key comes with the nearest known name', () => {
    expect(refusal({ env: { MUSLIN_PUBLIC_URL: 'http://a.example' } })).toContain('MUSLIN_PUBLIC_URL; did you mean MUSLIN_PUBLICURL?')
    expect(refusal({ toml: 'prot = 8080' })).toBe('muslin.toml sets prot, which is no setting; did you mean port?')
    expect(refusal({ toml: '[limits]\nmem = "1g"' })).toContain('limits.mem')
    expect(refusal({ toml: 'xyzzy = 1' })).toBe('muslin.toml sets xyzzy, which is no setting')
  })

  test('variables for commands are no unknown ones', () => {
    expect(load({ env: { MUSLIN_SERVER: 'http://a.example', MUSLIN_TOKEN: 't' } }).port).toBe(8080)
  })

  test('a file that is named but absent, or no TOML', () => {
    expect(refusal({ flags: { config: 'absent.toml' } })).toContain('absent.toml cannot be read (ENOENT)')
    expect(refusal({ toml: 'port = = 1' })).toMatch(/^muslin\.toml is no valid TOML: /)
  })

  test('half of a TLS pair', () => {
    expect(refusal({ flags: { tlsCert: 'cert.pem' } })).toBe('tlsCert is set by --tls-cert, but tlsKey is not; https needs both')
  })

  test('a target that is none', () => {
    expect(refusal({ flags: { targets: ['cp313-manylinux_2_28_x86_64'] } })).toContain('targets holds "cp313-manylinux_2_28_x86_64", set by --targets')
    expect(refusal({ env: { MUSLIN_CLEANIMAGES: '3.13=x' } })).toContain('cleanImages holds "3.13"')
  })

  test('an image for a target that was left out by name', () => {
    expect(refusal({ flags: { targets: ['cp313-musllinux_1_2_x86_64'], builderImages: ['cp312-musllinux_1_2_x86_64=a'] } }))
      .toContain('names cp312-musllinux_1_2_x86_64, which targets (set by --targets) does not hold')
  })
})
