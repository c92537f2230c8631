import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import { findSources } from '../../src/config/upstreams.ts'
import { MuslinError } from '../../src/errors.ts'
import { CERTIFICATES } from '../fixtures/certificates.ts'

let cwd: string
beforeEach(() => { cwd = mkdtempSync(join(tmpdir(), 'muslin-upstreams-')) })
afterEach(() => rmSync(cwd, { recursive: true }))

const COMPANY = '[upstreams.company]\nurl = "https://company.example/simple/"\n'

function load(toml: string, { env = {}, flags = {} }: { env?: Record<string, string>; flags?: Record<string, unknown> } = {}) {
  writeFileSync(join(cwd, 'muslin.toml'), toml)
  return loadSettings({ flags, env, cwd, machine: { cores: 1, memory: 1024 ** 3, cpu: 'x86_64', pythons: [] } })
}

async function sources(toml: string, { env = {} }: { env?: Record<string, string> } = {}) {
  return (await findSources({ settings: load(toml, { env }), env: { ...env, PIP_INDEX_URL: 'https://pip.example/simple/' }, pip: undefined })).sources
}

function refusal(toml: string, env: Record<string, string> = {}): string {
  try {
    load(toml, { env })
  } catch (error) {
    if (error instanceof MuslinError && error.code === 'bad-settings') return error.detail
    throw error
  }
  throw new Error('the settings were accepted')
}

describe('the setting upstream', () => {
  test('is one or more: a flag again, commas, an array', () => {
    const two = ['https://a.example/simple/', 'https://b.example/simple/']
    expect(load('').upstream).toEqual([])
    expect(load('', { flags: { upstream: two } }).upstream).toEqual(two)
    expect(load('', { env: { MUSLIN_UPSTREAM: two.join(', ') } }).upstream).toEqual(two)
    expect(load(`upstream = ${JSON.stringify(two)}`).upstream).toEqual(two)
    expect(load(`upstream = "${two[0]}"`).upstream).toEqual([two[0]])
    expect(refusal('upstream = ["https://a.example/", "b.example"]')).toMatch(/^upstream is /)
  })

  test('is pip\'s where none is named, and not beside one that is', async () => {
    expect((await sources('')).map(({ url, from }) => [url, from])).toEqual([['https://pip.example/simple/', 'PIP_INDEX_URL']])
    expect((await sources(COMPANY)).map(({ url }) => url)).toEqual(['https://company.example/simple/'])
  })
})

describe('tables', () => {
  test('come first, in the order of the file', async () => {
    const found = await sources(`upstream = "https://all.example/simple/"\n[upstreams.zebra]\nurl = "https://z.example/simple/"\nprojects = ["z-*", "zz"]\nexclusive = true\n${COMPANY}merge = "torch"\n`)
    expect(found.map(({ name, from, projects, exclusive, merge }) => [name, from, projects, exclusive, merge])).toEqual([
      ['zebra', '[upstreams.zebra]', ['z-*', 'zz'], true, []], ['company', '[upstreams.company]', [], false, ['torch']], ['https://all.example/simple/', 'the setting upstream', [], false, []],
    ])
  })

  test('have credentials in the URL, beside it, in files and in the environment', async () => {
    writeFileSync(join(cwd, 'secret'), 'p@ss:word/%41\r\n')
    const url = async (more: string, env = {}) => (await sources(`${COMPANY}${more}`, { env }))[0]?.url
    const expected = 'https://me:p%40ss%3Aword%2F%2541@company.example/simple/'
    expect(await url('username = "me"\npassword = "p@ss:word/%41"')).toBe(expected)
    expect(await url(`username = "me"\npasswordFile = ${JSON.stringify(join(cwd, 'secret'))}`)).toBe(expected)
    expect(await url('', { MUSLIN_UPSTREAMS_COMPANY_USERNAME: 'me', MUSLIN_UPSTREAMS_COMPANY_PASSWORD: 'p@ss:word/%41' })).toBe(expected)
    expect(await url('', { MUSLIN_UPSTREAMS_COMPANY_URL: 'https://me:x@other.example/' })).toBe('https://me:x@other.example/')
    expect((await sources('[upstreams.my-team]\nurl = "https://t.example/"', { env: { MUSLIN_UPSTREAMS_MY_TEAM_PROXY: 'none' } }))[0]?.proxies).toBeUndefined()
    await expect(url('passwordFile = "absent"')).rejects.toMatchObject({ code: 'bad-settings', detail: expect.stringContaining('upstreams.company.passwordFile names absent') })
  })

  test('have CAs and a proxy of their own', async () => {
    const file = join(cwd, 'ca.pem')
    writeFileSync(file, CERTIFICATES.a.cert)
    const env = { HTTPS_PROXY: 'http://proxy.example:3128' }
    const [own, plain] = await sources(`upstream = "https://all.example/"\n${COMPANY}ca = ${JSON.stringify(file)}\nproxy = "http://me:secret@own.example:8080"`, { env })
    expect(own?.ca).toContain(CERTIFICATES.a.cert.trim())
    expect(plain?.ca).not.toContain(CERTIFICATES.a.cert.trim())
    expect(own?.proxies).toEqual({ http: 'http://me:secret@own.example:8080', https: 'http://me:secret@own.example:8080', bypass: '' })
    expect(plain?.proxies).toMatchObject({ http: undefined, https: 'http://proxy.example:3128' })
    await expect(sources(`${COMPANY}ca = "absent"`)).rejects.toMatchObject({ code: 'bad-settings', detail: expect.stringContaining('upstreams.company.ca names absent') })
  })

  test.each([
    ['[upstreams.a]', 'has no url'], ['[upstreams]\nurl = "https://a.example/"', 'upstreams.url'], ['upstreams = 1', 'accepted: tables in the file'], [`${COMPANY}project = []`, 'has project, which is none of its keys; did you mean projects?'],
    [`${COMPANY}exclusive = true`, 'says by no projects what for'], [`${COMPANY}proxy = "socks5://me:secret@x.example"`, 'has a proxy'], [`${COMPANY}projects = ["company<2"]`, 'has a projects that cannot be used; accepted: names such as'], [`${COMPANY}ca = 1`, 'has a ca that cannot be used'],
    ['[upstreams.a]\nurl = "https://me:secret@a.example/"\npassword = "secret"', 'give them once'], [`${COMPANY}password = "secret"\npasswordFile = "x"`, 'both password'], ['[upstreams.a]\nurl = "secret"', 'has a url that cannot be used'],
    ['["upstreams"."a b"]\nurl = "https://a.example/"', 'a name has letters'],
  ])('%s', (toml, detail) => {
    expect(refusal(toml)).toContain(detail)
    expect(refusal(toml)).not.toContain('secret')
  })

  test('a variable of no table is refused, with the nearest', () => {
    expect(refusal(COMPANY, { MUSLIN_UPSTREAMS_COMPANY_PASSWRD: 'secret' })).toMatch(/MUSLIN_UPSTREAMS_COMPANY_PASSWRD; did you mean MUSLIN_UPSTREAMS_COMPANY_PASSWORD\?$/)
    expect(refusal('', { MUSLIN_UPSTREAMS_OTHER_URL: 'https://a.example/' })).toContain('belongs to the environment variable MUSLIN_UPSTREAMS_OTHER_URL')
  })

  test.each([['a-b', 'a_b'], ['company', 'Company']])('%s and %s would have the same variables: one must have another name', (one, other) => {
    const toml = `[upstreams.${one}]\nurl = "https://a.example/"\n[upstreams.${other}]\nurl = "https://b.example/"`
    for (const env of [{}, { [`MUSLIN_UPSTREAMS_${one.replace('-', '_').toUpperCase()}_PASSWORD`]: 'secret' }]) {
      expect(refusal(toml, env)).toMatch(new RegExp(`^\\[upstreams.${one}\\] and \\[upstreams.${other}\\], .* give one of them another name$`))
    }
  })

  test('a password in a table of the wrong setting is not shown', () => {
    expect(refusal('[upstream.company]\npassword = "secret"')).not.toContain('secret')
  })
})
