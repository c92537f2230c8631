import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseUserAgent, targetOf } from '../../src/domain/client.ts'
import { parseTarget } from '../../src/domain/target.ts'

/** What the tools themselves sent when they were run; only the kernel's release is shortened. */
const PIP_DEBIAN_MUSL = 'pip/25.1.1 {"ci":null,"cpu":"x86_64","distro":{"id":"bookworm","name":"Debian GNU/Linux","version":"12"},"implementation":{"name":"CPython","version":"3.13.5"},"installer":{"name":"pip","version":"25.1.1"},"python":"3.13.5","rustc_version":"1.95.0","system":{"name":"Linux","release":"6.1"}}'
const PIP_ALPINE = 'pip/25.1.1 {"ci":null,"cpu":"x86_64","distro":{"name":"Alpine Linux","version":"3.20.3"},"implementation":{"name":"CPython","version":"3.13.5"},"installer":{"name":"pip","version":"25.1.1"},"python":"3.13.5","system":{"name":"Linux","release":"6.1"}}'
const PIP_GLIBC = PIP_DEBIAN_MUSL.replace('"id":"bookworm"', '"id":"bookworm","libc":{"lib":"glibc","version":"2.36"}')
const UV = 'uv/0.13.9 {"installer":{"name":"uv","version":"0.13.9","subcommand":["pip","install"]},"python":"3.13.5","implementation":{"name":"CPython","version":"3.13.5"},"distro":{"name":"Debian GNU/Linux","version":"12","id":"bookworm","libc":{"lib":"musl","version":"1.2"}},"system":{"name":"Linux","release":"6.1"},"cpu":"x86_64","openssl_version":null,"setuptools_version":null,"rustc_version":null,"ci":null}'
const MUSL = { python: 'cp313', cpu: 'x86_64', musl: { major: 1, minor: 2 } }

describe('pip', () => {
  test('on musl has no libc to tell', () => {
    expect(parseUserAgent(PIP_DEBIAN_MUSL)).toEqual({ tool: 'pip', version: '25.1.1', subcommand: [], musl: MUSL, installs: true, own: false })
    expect(parseUserAgent(PIP_ALPINE).musl).toEqual(MUSL)
  })
  test('without an os-release too', () => {
    expect(parseUserAgent('pip/25.1.1 {"cpu":"aarch64","implementation":{"name":"CPython"},"python":"3.9.1","system":{"name":"Linux"}}').musl)
      .toEqual({ python: 'cp39', cpu: 'aarch64', musl: { major: 1, minor: 2 } })
  })
  test.each([['3.12.12', 1], ['3.9', 1], ['3.13.0', 2], ['3.23.0_alpha20260101', 2], ['edge', 2]])('Alpine %s is musl 1.%i', (release, minor) => {
    expect(parseUserAgent(PIP_ALPINE.replace('3.20.3', release)).musl?.musl).toEqual({ major: 1, minor })
  })
  test('a small version number of another distribution says nothing about musl', () => {
    expect(parseUserAgent(PIP_ALPINE.replace('Alpine Linux', 'Void').replace('3.20.3', '3.1')).musl?.musl).toEqual({ major: 1, minor: 2 })
  })
  test.each([
    ['glibc', PIP_GLIBC], ['PyPy', PIP_ALPINE.replace('CPython', 'PyPy')], ['macOS', PIP_ALPINE.replace('"Linux"', '"Darwin"')],
    ['Python 2', PIP_ALPINE.replace('"python":"3.13.5"', '"python":"2.7.18"')], ['a text cut short', PIP_ALPINE.slice(0, 150)], ['no JSON', 'pip/25.1.1'],
    ['other JSON', 'pip/25.1.1 [1,2]'], ['a strange CPU', PIP_ALPINE.replace('x86_64', '../etc')],
  ])('%s: no musl, still pip', (_, header) => expect(parseUserAgent(header)).toMatchObject({ tool: 'pip', musl: undefined, installs: true }))
})

test('pip as our own builds run it says so', () => {
  const told = (data: string, header = PIP_ALPINE) => parseUserAgent(`${header.slice(0, -1)},"user_data":${data}}`)
  expect(told('"muslin-builder"')).toMatchObject({ tool: 'pip', installs: true, own: true })
  expect(told('"muslin-builder"', UV).own).toBe(false)
  for (const other of ['"another"', '["muslin-builder"]', 'null']) expect(told(other).own).toBe(false)
})

describe('uv', () => {
  test('tells libc and command', () => {
    expect(parseUserAgent(UV)).toEqual({ tool: 'uv', version: '0.13.9', subcommand: ['pip', 'install'], musl: MUSL, installs: true, own: false })
  })
  test.each([
    ['["pip","install"]', true], ['["tool","install"]', true], ['["run"]', true], ['["tool","run"]', true], ['["uvx"]', true], ['["lock"]', false], ['["sync"]', false], ['["add"]', false],
    ['["pip","compile"]', false], ['["publish"]', false], ['null', false], ['["pip install"]', true], ['{"0":"run"}', false],
  ])('subcommand %s installs: %s', (subcommand, installs) => {
    expect(parseUserAgent(UV.replace('["pip","install"]', subcommand)).installs).toBe(installs)
  })
  test.each([['glibc', '"lib":"musl"', '"lib":"glibc"'], ['no level', '"version":"1.2"', '"version":"new"'], ['no distro', '"distro"', '"other"']])('%s: no musl', (_, from, to) => {
    expect(parseUserAgent(UV.replace(from, to)).musl).toBeUndefined()
  })
})

test.each([
  ['poetry/2.5.1 CPython/3.11.7 Linux/6.1', 'poetry', '2.5.1'], ['pdm/2.29.3 CPython/3.11.7 Linux/6.1', 'pdm', '2.29.3'], ['twine/7.0.0 CPython/3.13.0', 'twine', '7.0.0'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'browser', '5.0'], ['python-requests/2.32.3', 'other', '2.32.3'],
  ['Hatch/1.18.2 {"cpu":"x86_64"}', 'other', '1.18.2'], ['curl/8.5.0', 'other', '8.5.0'], ['pipx/1.0', 'other', '1.0'], ['', 'other', undefined], [undefined, 'other', undefined],
])('%s is %s', (header, tool, version) => {
  expect(parseUserAgent(header)).toEqual({ tool, version, subcommand: [], musl: undefined, installs: false, own: false })
})

test('nothing makes it throw, and nothing long gets through', () => {
  const json = fc.json().map((text) => `pip/1 ${text}`)
  const shaped = fc.record({ python: fc.anything(), cpu: fc.anything(), distro: fc.anything(), implementation: fc.anything(), installer: fc.record({ subcommand: fc.anything() }), system: fc.anything() })
  const told = shaped.map((value) => `uv/1 ${JSON.stringify(value, (_, each) => typeof each === 'bigint' ? 0 : each)}`)
  fc.assert(fc.property(fc.oneof(fc.string(), json, told), (header) => {
    const client = parseUserAgent(header)
    expect(JSON.stringify(client).length).toBeLessThan(6000)
  }))
  expect(parseUserAgent(`${UV.slice(0, -1)},"x":"${'x'.repeat(5000)}"}`).musl).toBeUndefined()
})

describe('the target of a client', () => {
  const targets = ['cp313-musllinux_1_1_x86_64', 'cp313-musllinux_1_2_x86_64', 'cp312-musllinux_1_2_x86_64', 'cp313-musllinux_1_2_aarch64'].map((name) => parseTarget(name)!)
  test('is the newest level that it takes', () => expect(targetOf(parseUserAgent(UV), targets)?.name).toBe('cp313-musllinux_1_2_x86_64'))
  test('on an old Alpine is the older one', () => {
    expect(targetOf(parseUserAgent(PIP_ALPINE.replace('3.20.3', '3.12.1')), targets)?.name).toBe('cp313-musllinux_1_1_x86_64')
  })
  test.each([PIP_GLIBC, UV.replace('"python":"3.13.5"', '"python":"3.14.0"'), UV.replace('"cpu":"x86_64"', '"cpu":"riscv64"'), 'curl/8'])('is none for %s', (header) => {
    expect(targetOf(parseUserAgent(header), targets)).toBeUndefined()
  })
})
