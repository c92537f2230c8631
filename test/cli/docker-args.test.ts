import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dockerArgs } from '../../src/cli/docker-args.ts'
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'

const words = (url: string, name = 'PIP_INDEX_URL'): string => dockerArgs(new URL(url), name).words.join(' ')
const LOCAL = '--build-arg PIP_INDEX_URL=http://host.docker.internal:8080/simple/ --build-arg PIP_TRUSTED_HOST=host.docker.internal --add-host host.docker.internal:host-gateway'

describe('words', () => {
  test.each(['localhost', '127.0.0.1', '0.0.0.0', '[::1]', '[::]', 'host.docker.internal'])('of a server on this machine (%s) name it as containers do', (host) => {
    expect(words(`http://${host}:8080`)).toBe(LOCAL)
  })

  test('of another host need no --add-host', () => {
    expect(words('http://muslin.example:8080/')).toBe('--build-arg PIP_INDEX_URL=http://muslin.example:8080/simple/ --build-arg PIP_TRUSTED_HOST=muslin.example')
  })

  test('of https are the index alone', () => {
    expect(words('https://muslin.example')).toBe('--build-arg PIP_INDEX_URL=https://muslin.example/simple/')
  })

  test('keep a path prefix', () => {
    expect(words('https://tools.example/muslin/')).toBe('--build-arg PIP_INDEX_URL=https://tools.example/muslin/simple/')
  })

  test('take another name for the index, and pip\'s own for the trusted host', () => {
    expect(words('http://muslin.example', 'EQ_PYTHON_PACKAGE_INDEX'))
      .toBe('--build-arg EQ_PYTHON_PACKAGE_INDEX=http://muslin.example/simple/ --build-arg PIP_TRUSTED_HOST=muslin.example')
    expect(() => words('http://muslin.example', 'A B')).toThrow('accepted: a name of letters')
  })

  test('of uv name no trusted host, which it does not read', () => {
    expect(words('http://muslin.example', 'UV_DEFAULT_INDEX')).toBe('--build-arg UV_DEFAULT_INDEX=http://muslin.example/simple/')
    expect(words('http://localhost:8080', 'UV_DEFAULT_INDEX')).toBe('--build-arg UV_DEFAULT_INDEX=http://host.docker.internal:8080/simple/ --add-host host.docker.internal:host-gateway')
    expect(dockerArgs(new URL('http://me:secret@muslin.example'), 'UV_DEFAULT_INDEX').warning).toContain('UV_DEFAULT_INDEX="$(cat /run/secrets/UV_DEFAULT_INDEX)"')
  })

  test('never hold a credential', () => {
    const { words, warning } = dockerArgs(new URL('http://me:secret@muslin.example'), 'PIP_INDEX_URL')
    expect(words.join(' ')).toBe('--secret id=PIP_INDEX_URL,env=PIP_INDEX_URL --build-arg PIP_TRUSTED_HOST=muslin.example')
    expect(warning).toContain('RUN --mount=type=secret,id=PIP_INDEX_URL PIP_INDEX_URL="$(cat /run/secrets/PIP_INDEX_URL)"')
    expect(warning).not.toContain('secret@')
  })
})

describe('the server', () => {
  let cwd: string
  beforeEach(() => { cwd = mkdtempSync(join(tmpdir(), 'muslin-cli-')) })
  afterEach(() => rmSync(cwd, { recursive: true }))

  async function printed(words: string[], env: Record<string, string> = {}): Promise<string> {
    const context = testContext({ cwd, env })
    if (await run(['docker-args', ...words], context) !== 0) throw new Error(context.warned.join('\n'))
    return context.printed.join('\n')
  }

  test('is the one that wrote its address into the data folder', async () => {
    writeFileSync(join(cwd, 'server.json'), JSON.stringify({ url: 'http://localhost:8080', port: 8080, pid: 1 }))
    expect(await printed(['--data', '.'])).toBe(LOCAL)
  })

  test.each([
    ['localhost', [], true], ['127.0.0.1', [], true], ['::1', [], true], ['0.0.0.0', [], false], [undefined, [], false], ['192.0.2.7', [], false],
    ['localhost', ['--server', 'http://127.0.0.1:8080'], true], ['localhost', ['--server', 'http://localhost:9090'], false], ['localhost', ['--server', 'https://other.example:8080'], false],
  ])('that listens on %s (%j) is out of containers\' reach: %s', async (host, words, warned) => {
    writeFileSync(join(cwd, 'server.json'), JSON.stringify({ url: 'http://localhost:8080', port: 8080, host, pid: 1 }))
    const context = testContext({ cwd })
    expect(await run(['docker-args', '--data', '.', ...words], context)).toBe(0)
    expect(context.warned).toEqual(warned ? [expect.stringMatching(/^containers cannot reach http:.*:8080: it listens on .* alone; start it with --host 0\.0\.0\.0$/)] : [])
    expect(context.printed).toHaveLength(1)
  })

  test('or publicUrl, MUSLIN_SERVER, --server, the later the stronger', async () => {
    const env: Record<string, string> = { MUSLIN_PUBLICURL: 'https://public.example' }
    expect(await printed([], env)).toContain('//public.example/')
    env['MUSLIN_SERVER'] = 'https://variable.example'
    expect(await printed([], env)).toContain('//variable.example/')
    expect(await printed(['--server', 'https://flag.example'], env)).toContain('//flag.example/')
  })

  test.each([['is absent', undefined], ['is damaged', '{"url":']])('is missed with a remedy where its file %s', async (_how, text) => {
    if (text !== undefined) writeFileSync(join(cwd, 'server.json'), text)
    const context = testContext({ cwd })
    expect(await run(['docker-args', '--data', '.'], context)).toBe(3)
    expect(context.warned.join()).toMatch(/The data folder cannot be used: no server has run on .*; start one, .* by --server/)
    expect(context.printed).toEqual([])
  })
})
