import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { dockerArgs } from '../../src/cli/docker-args.ts'
import { useLines } from '../../src/ui/use-lines.ts'

/** Every text of a section, by its label. */
function texts(root: string, id: string): Record<string, string> {
  const section = useLines(root).find((lines) => lines.id === id)
  if (!section) throw new Error(`there is no section ${id}`)
  return Object.fromEntries(section.blocks.map(({ label, text }) => [label, text]))
}

const PLAIN = 'http://muslin.test:8080'
const PREFIXED = 'https://tools.test/muslin'

test('pip: plain http needs the trusted host, https does not', () => {
  expect(texts(PLAIN, 'pip')).toEqual({
    'Once': 'pip install -i http://muslin.test:8080/simple/ --trusted-host muslin.test PROJECT',
    'For good, in pip.conf': '[global]\nindex-url = http://muslin.test:8080/simple/\ntrusted-host = muslin.test',
  })
  expect(texts(PREFIXED, 'pip')['Once']).toBe('pip install -i https://tools.test/muslin/simple/ PROJECT')
})

test('the words for docker build are those of muslin docker-args', () => {
  for (const root of ['http://localhost:8080', 'http://127.0.0.1:9000', 'http://[::1]:8080', 'http://0.0.0.0:8080', 'http://[::]:8080', 'http://host.docker.internal:8080', PLAIN, PREFIXED]) {
    expect(texts(root, 'dockerfile')['Build, anywhere else'], root).toBe(`docker build ${dockerArgs(new URL(root), 'PIP_INDEX_URL').words.join(' ')} .`)
  }
})

test('compose: what a container can reach', () => {
  expect(texts('http://localhost:8080', 'compose')['compose.yaml']).toBe(`services:
  app:
    build:
      context: .
      args:
        PIP_INDEX_URL: http://host.docker.internal:8080/simple/
        PIP_TRUSTED_HOST: "host.docker.internal"
      extra_hosts:
        - "host.docker.internal:host-gateway"`)
  expect(texts(PREFIXED, 'compose')['compose.yaml']).toBe('services:\n  app:\n    build:\n      context: .\n      args:\n        PIP_INDEX_URL: https://tools.test/muslin/simple/')
})

test('what goes into TOML files is TOML, and lockers get the finished view', () => {
  expect(parse(texts(PLAIN, 'uv')['In pyproject.toml']!)).toEqual({ tool: { uv: { index: [{ name: 'muslin', url: `${PLAIN}/simple/`, default: true }] } } })
  const lockers = texts(PLAIN, 'lockers')
  expect(parse(lockers['poetry, in pyproject.toml']!)).toEqual({ tool: { poetry: { source: [{ name: 'muslin', url: `${PLAIN}/finished/simple/`, priority: 'primary' }] } } })
  expect(parse(lockers['pdm, in pyproject.toml']!)).toEqual({ tool: { pdm: { source: [{ name: 'pypi', url: `${PLAIN}/finished/simple/`, verify_ssl: false }] } } })
  expect(parse(lockers['pipenv, in the Pipfile']!)).toEqual({ source: [{ name: 'muslin', url: `${PLAIN}/finished/simple/`, verify_ssl: false }] })
  expect(parse(texts(PREFIXED, 'lockers')['pdm, in pyproject.toml']!)).toEqual({ tool: { pdm: { source: [{ name: 'pypi', url: `${PREFIXED}/finished/simple/` }] } } })
  expect(parse(texts(PREFIXED, 'lockers')['pipenv, in the Pipfile']!)).toMatchObject({ source: [{ verify_ssl: true }] })
})
