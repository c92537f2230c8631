import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Service } from '../src/cli/context.ts'
import { compose, type ComposeContext } from '../src/compose.ts'
import { loadSettings } from '../src/config/load.ts'
import { AGENTS } from './http/rig.ts'
import { manualClock } from './manual-clock.ts'
import { openIn } from './open-files.ts'
import { temporaryFolder } from './storage/folder.ts'
import { JSON_V1, sha256, type SyntheticUpstream, syntheticUpstream } from './synthetic-upstream.ts'

const WHEEL = { filename: 'p-1.0-py3-none-any.whl', bytes: Buffer.from('the bytes of a wheel'), metadata: 'Name: p\nVersion: 1.0\n' }
const FILE = `/files/${sha256(WHEEL.bytes)}/${WHEEL.filename}`

let upstream: SyntheticUpstream
let upstreamIsOpen: boolean
let folder: string
let remove: () => Promise<void>
const services: Service[] = []
beforeEach(async () => {
  // A machine without pip, docker and Pythons, whatever this one has.
  vi.stubEnv('PATH', '');
  ({ folder, remove } = await temporaryFolder())
  vi.stubEnv('HOME', folder)
  vi.stubEnv('PYENV_ROOT', folder)
  upstream = await syntheticUpstream()
  upstreamIsOpen = true
  upstream.project('p', [WHEEL, { filename: 'p-2.0.tar.gz', bytes: Buffer.from('an sdist') }])
})
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop()
  if (upstreamIsOpen) await upstream.close()
  await remove()
  vi.unstubAllEnvs()
})

function server(flags: Record<string, unknown> = {}, more: Partial<ComposeContext> = {}): Service {
  const settings = loadSettings({ flags: { port: '0', data: join(folder, 'data'), upstream: upstream.url, builder: 'none', ...flags }, env: {}, cwd: folder })
  const service = compose(settings, { log: pino({ level: 'silent' }), clock: manualClock(), ...more })
  services.push(service)
  return service
}

async function get(url: string | undefined, path: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${url}${path}`, { headers: { 'accept': JSON_V1, 'user-agent': AGENTS.pip } })
  return { status: answer.status, body: await answer.text() }
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('a server without a builder', () => {
  test('says what it found, serves pages and files, and promises nothing', async () => {
    const { url, lines } = await server().start()
    expect(url).toMatch(/^http:\/\/localhost:\d+$/)
    expect(lines.map((line) => line.split(/ +/)[0])).toEqual(['data', 'upstream', 'builder', 'targets', 'token'])
    expect(lines[1]).toContain('127.0.0.1')
    expect(lines[2]).toContain('none, as the settings say')
    const page = await get(url, '/simple/p/')
    expect(JSON.parse(page.body).files.map((file: { filename: string }) => file.filename)).toEqual([WHEEL.filename, 'p-2.0.tar.gz'])
    expect(await get(url, FILE)).toEqual({ status: 200, body: WHEEL.bytes.toString() })
    expect((await get(url, '/simple/')).body).toContain('"p"')
    expect((await get(url, '/simple/none/')).status).toBe(404)
  })

  test('has several upstreams, names each, and follows a file\'s own', async () => {
    const second = await syntheticUpstream()
    second.project('p', [])
    second.project('q', [{ ...WHEEL, filename: 'q-1.0-py3-none-any.whl' }])
    const { url, lines } = await server({ upstream: [upstream.url.replace('//', '//me:secret@'), second.url] }).start()
    expect(lines.slice(1, 3)).toEqual([`upstream  ${upstream.url}, from the setting upstream`, `upstream  ${second.url}, from the setting upstream`])
    expect(JSON.parse((await get(url, '/simple/p/')).body).files).toHaveLength(2)
    expect((await get(url, '/simple/q/')).status).toBe(200)
    expect((await get(url, `/files/${sha256(WHEEL.bytes)}/q-1.0-py3-none-any.whl`)).body).toBe(WHEEL.bytes.toString())
    expect(second.requests).not.toContain('GET /simple/p/')
    expect(second.headers.some(({ authorization }) => authorization !== undefined)).toBe(false)
    await second.close()
  })

  test('serves the views of its settings, and holds back what its rules say on pages, files and metadata', async () => {
    const { url, lines } = await server({ deny: ['p==1.0'], views: 'old = { deny = ["p>=2"] }' }).start()
    expect(lines).toContainEqual('views     /view/old/simple/')
    const files = async (path: string) => JSON.parse((await get(url, path)).body).files.map((file: { filename: string }) => file.filename)
    expect(await files('/simple/p/')).toEqual(['p-2.0.tar.gz'])
    expect(await files('/view/old/simple/p/')).toEqual([])
    for (const path of [FILE, `${FILE}.metadata`]) expect(await get(url, path)).toEqual({ status: 403, body: expect.stringContaining('blocked-by-policy') })
  })

  test('listens on loopback alone', async () => {
    const { url } = await server().start()
    const { port } = new URL(url!)
    await expect(fetch(`http://127.0.0.2:${port}/simple/`)).rejects.toThrow()
  })

  test('tells others where it is', async () => {
    const { url } = await server({ publicUrl: 'https://index.example/muslin' }).start()
    expect(url).toBe('https://index.example/muslin')
    const told = JSON.parse(await readFile(join(folder, 'data', 'server.json'), 'utf8'))
    expect(told).toEqual({ url, scheme: 'http', port: expect.any(Number), pid: process.pid, host: 'localhost', instance: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect((await get(`http://localhost:${told.port}`, '/simple/p/')).status).toBe(200)
  })

  test('the credentials of the upstream are not printed', async () => {
    const { lines } = await server({ upstream: upstream.url.replace('//', '//user:hidden@') }).start()
    expect(lines.join('\n')).not.toContain('hidden')
  })

  test('without docker, auto says why it does not build', async () => {
    const { lines } = await server({ builder: 'auto' }).start()
    expect(lines[2]).toMatch(/^builder {3}none: .*docker.* nothing is promised$/)
  })
})

describe('over restarts', () => {
  test('pages and files are served though the upstream is gone', async () => {
    const first = server()
    const { url } = await first.start()
    const page = await get(url, '/simple/p/')
    await get(url, FILE)
    await first.stop()
    await upstream.close()
    upstreamIsOpen = false
    const clock = manualClock()
    await clock.advance(3_600_000)
    const again = (await server({}, { clock }).start()).url
    expect(await get(again, '/simple/p/')).toEqual(page)
    expect(await get(again, FILE)).toEqual({ status: 200, body: WHEEL.bytes.toString() })
    expect((await get(again, '/simple/never-asked/')).status).toBe(502)
  })

  test('an offline one serves what was seen, asks nobody for more, and says so', async () => {
    const first = server()
    const { url } = await first.start()
    const page = await get(url, '/simple/p/')
    await first.stop()
    const clock = manualClock()
    await clock.advance(3_600_000)
    const asked = upstream.requests.length
    const again = await server({ offline: true }, { clock }).start()
    expect(again.lines[1]).toMatch(/^upstream {2}http.*; offline: it is never asked/)
    expect(await get(again.url, '/simple/p/')).toEqual(page)
    expect((await get(again.url, FILE)).status).toBe(503)
    expect(JSON.parse((await get(again.url, '/simple/never-asked/')).body)).toMatchObject({ code: 'offline', status: 503 })
    expect(upstream.requests.length).toBe(asked)
  })

  test('the token is made and printed once, and lies there for its owner alone', async () => {
    const file = join(folder, 'data', 'admin-token')
    const first = server()
    const { lines } = await first.start()
    const token = (await readFile(file, 'utf8')).trim()
    expect(lines.at(-1)).toContain(token)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700)
    const instance = async () => JSON.parse(await readFile(join(folder, 'data', 'server.json'), 'utf8')).instance
    const before = await instance()
    await first.stop()
    expect((await server().start()).lines.join('\n')).not.toMatch(/^token|admin/m)
    expect((await readFile(file, 'utf8')).trim()).toBe(token)
    expect(await instance()).toBe(before)
  })

  test('what a killed process left in the scratch folder is removed, what a living one has there is not', async () => {
    const scratch = join(folder, 'data', 'scratch')
    await mkdir(scratch, { recursive: true })
    const [killed, living] = await Promise.all([holdScratch(scratch), holdScratch(scratch)])
    killed.process.kill('SIGKILL')
    await once(killed.process, 'close')
    const first = server()
    await first.start()
    const left = (await readdir(scratch)).filter((name) => !name.includes('.'))
    expect(left).toContain(living.name)
    expect(left).not.toContain(killed.name)
    expect(await readdir(join(scratch, living.name))).toEqual(['sdist'])
    living.process.kill('SIGKILL')
    await once(living.process, 'close')
    await first.stop()
    expect(await readdir(scratch)).toEqual([])
  })
})

/** A process that has a scratch folder with a file in it. */
async function holdScratch(scratch: string) {
  const holder = spawn(process.execPath, [fileURLToPath(new URL('storage/fixtures/hold-folder.ts', import.meta.url)), scratch], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [name] = await once(holder.stdout, 'data')
  return { process: holder, name: String(name).trim() }
}

describe('the end', () => {
  test('leaves nothing behind that keeps the process alive', async () => {
    const flags = JSON.stringify({ port: '0', data: join(folder, 'data'), upstream: upstream.url, builder: 'none' })
    const run = spawn(process.execPath, [fileURLToPath(new URL('fixtures/start-and-stop.ts', import.meta.url)), flags, '/simple/p/', FILE], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 15_000 })
    const [[code], output] = await Promise.all([once(run, 'close'), text(run.stdout)])
    expect([code, output]).toEqual([0, '200\n200\nstopped\n'])
  })

  test('leaves no file open', async () => {
    const service = server()
    const { url } = await service.start()
    await get(url, '/simple/p/')
    await get(url, FILE)
    expect(await openIn(folder)).not.toEqual([])
    await service.stop()
    await expect(fetch(`${url}/simple/`)).rejects.toThrow()
    expect(await openIn(folder)).toEqual([])
  })

  test('may come before the start, twice, and after a start that failed', async () => {
    const idle = server()
    await idle.stop()
    const failing = server({ data: join(folder, 'file') })
    await writeFile(join(folder, 'file'), '')
    await expect(failing.start()).rejects.toEqual(code('data-folder'))
    await failing.stop()
    await failing.stop()
  })
})

describe('what cannot be', () => {
  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const failing = server({ port: String(port), host: '127.0.0.1' })
    const started = failing.start()
    await expect(started).rejects.toEqual(code('port-in-use'))
    await expect(started).rejects.toThrow(`port ${port}; end it, or choose another by --port`)
    await failing.stop()
    expect(await openIn(folder)).toEqual([])
    other.close()
    await once(other, 'close')
  })

  test('an address that is not this machine\'s', async () => {
    await expect(server({ host: '192.0.2.1' }).start()).rejects.toThrow('cannot listen on 192.0.2.1')
  })

  test.each([['none', 'bad-settings', 'set builder to docker, podman or embedded, or role to web'], ['auto', 'engine-unavailable', 'docker'], ['docker', 'engine-unavailable', 'docker']])(
    'a worker with builder %s and no engine', async (builder, failed, words) => {
      const started = server({ role: 'worker', builder }).start()
      await expect(started).rejects.toEqual(code(failed))
      await expect(started).rejects.toThrow(words)
    })
})

test('a web process listens for a worker elsewhere, and promises what that one tells', async () => {
  let beat: (() => Promise<void>) | undefined
  const clock = manualClock()
  const service = server({ role: 'web', targets: 'cp313-musllinux_1_2_x86_64' }, {
    clock,
    wrap(ports) {
      beat = () => ports.store.workers.beat('elsewhere:1:x', { 'cp313-musllinux_1_2_x86_64': 'image-1' }, clock.now())
      return ports
    },
  })
  const { url, lines } = await service.start()
  expect(lines[2]).toContain('none in this process')
  const { port } = new URL(url!)
  expect((await get(`http://127.0.0.2:${port}`, '/simple/p/')).body).not.toContain('promise/')
  await beat?.()
  expect((await get(url, '/simple/p/')).body).toMatch(/promise\/[0-9a-f]{32}\/p-2\.0-1-cp313-cp313-musllinux_1_2_x86_64\.whl/)
})
