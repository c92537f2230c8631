/** Crates on their way from Muslin into a build, with the real script run by this machine's Python. */
import { spawnSync } from 'node:child_process'
import type { RequestListener } from 'node:http'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CARGO, cratesFailure, fetchCrates, needCargo, placeCrates } from '../../src/builder/crates.ts'
import { PLACE, type Box, type Session } from '../../src/builder/session.ts'
import type { CargoLock } from '../../src/domain/cargo-lock.ts'
import { packTar, type TarEntry } from '../../src/services/tar.ts'
import { END, raw } from '../fixtures/make-tar.ts'
import { makeCrate, type MadeCrate } from '../fixtures/registry.ts'
import { startServer, type TestServer } from '../upstream/index-server.ts'

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0
const [one, two] = [makeCrate({ name: 'one', lib: 'pub fn one() {}' }), makeCrate({ name: 'two', version: '0.9.0+wasi', requires: { one: '1.0.0' } })]
const lock = (crates: MadeCrate[]): CargoLock => crates.map(({ name, version, checksum }) => ({ name, version, checksum }))

let folder: string
let closers: (() => Promise<void>)[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muslin-crates-'))
  closers = []
})
afterEach(async () => {
  for (const close of closers) await close()
  await rm(folder, { recursive: true })
})

/** A run that is a folder of this machine, in the place of PLACE. */
function local(name: string): { box: Box; at: string } {
  const at = join(folder, name)
  const here = (text: string) => text.replaceAll(PLACE, at)
  const box: Box = {
    async put(entries: TarEntry[]) {
      for (const { name, body } of entries) {
        const chunks: Buffer[] = []
        if (typeof body === 'string' || body instanceof Uint8Array) chunks.push(Buffer.from(body as string))
        else for await (const chunk of await body.open()) chunks.push(chunk as Buffer)
        await mkdir(dirname(join(at, name)), { recursive: true })
        await writeFile(join(at, name), Buffer.concat(chunks))
      }
    },
    async exec([program = '', ...rest], { env = {} } = {}) {
      const { all, exitCode } = await execa(program, rest.map(here), { env: { ...env, HOME: at, PATH: process.env['PATH'] ?? '' }, extendEnv: false, reject: false, all: true })
      return { exitCode: exitCode ?? -1, text: all }
    },
    must: () => { throw new Error('not used') },
    why: async () => ({ class: 'build-failed', key: 'unknown' }),
    async get([name = ''], _maxBytes) {
      const { stdout } = await execa('ls', [join(at, name)])
      const entries = await Promise.all(stdout.split('\n').map(async (file) => ({ name: `${name}/${file}`, body: await readFile(join(at, name, file)) })))
      return packTar(entries)
    },
  }
  return { box, at }
}

function session(box: Box): Session {
  const said: string[] = []
  return {
    work: { scratch: folder }, limits: { disk: 1 << 30 }, say: (line: string) => said.push(line), guard: <T>(promise: Promise<T>) => promise,
    within: (_spec: unknown, use: (given: Box) => Promise<unknown>) => use(box),
  } as unknown as Session
}

/** Answers as Muslin's routes do. */
async function muslin(crates: MadeCrate[], instead?: RequestListener): Promise<TestServer> {
  const server = await startServer(instead ?? ((request, response) => {
    const [, name, version] = /^\/base\/crates\/dl\/([^/]+)\/([^/]+)\/download$/.exec(decodeURIComponent(request.url!)) ?? []
    const crate = crates.find((one) => one.name === name && one.version === version)
    if (crate) response.end(crate.bytes)
    else response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ code: 'not-found', detail: 'the crates registry has none' }))
  }))
  closers.push(() => server.close())
  return server
}

const fetched = async (crates: CargoLock, server: TestServer) => fetchCrates(session(local('fetch').box), { image: 'image', indexUrl: `${server.origin}/base` }, crates)
const failure = (promise: Promise<unknown>) => promise.then(() => 'done', (error: { failure?: object }) => error.failure ?? error)

describe.skipIf(!python)('crates', () => {
  test('are fetched, checked, and laid out as cargo takes them', async () => {
    const crates = lock([one, two])
    const carried = await fetched(crates, await muslin([one, two]))
    expect(carried.map(({ filename, sha256 }) => [filename, sha256])).toEqual([['one-1.0.0.crate', one.checksum], ['two-0.9.0+wasi.crate', two.checksum]])
    const { box, at } = local('build')
    await placeCrates(box, crates, carried)
    const text = (path: string) => readFile(join(at, path), 'utf8')
    expect(await text('vendor/one-1.0.0/src/lib.rs')).toBe('pub fn one() {}')
    expect(JSON.parse(await text('vendor/two-0.9.0+wasi/.cargo-checksum.json'))).toEqual({ files: {}, package: two.checksum })
    expect(await text(`${CARGO['CARGO_HOME']!.slice(PLACE.length + 1)}/config.toml`)).toBe(`[source.crates-io]\nreplace-with = "muslin"\n\n[source.muslin]\ndirectory = "${at}/vendor"\n`)
  })

  test('that a lock does not name need no container', async () => {
    const nothing = { within: () => { throw new Error('a container') } } as unknown as Session
    expect(await fetchCrates(nothing, { image: 'image', indexUrl: 'http://muslin.example' }, [])).toEqual([])
  })

  test('with other bytes than the lock says are refused', async () => {
    const other = { ...one, checksum: 'f'.repeat(64) }
    expect(await failure(fetched(lock([two, other]), await muslin([one, two])))).toEqual({ class: 'bad-sdist', key: 'the crate one 1.0.0 of its Cargo.lock: the registry has other bytes than Cargo.lock says' })
  })

  test('that the registry does not have, that no registry is set for, and that cannot be reached', async () => {
    expect(await failure(fetched(lock([one]), await muslin([])))).toEqual({ class: 'bad-sdist', key: 'its Cargo.lock names the crate one 1.0.0, which the registry does not have' })
    const unset = await muslin([], (_, response) => response.writeHead(503).end(JSON.stringify({ code: 'no-crates-index', detail: 'x' })))
    expect(await failure(fetched(lock([one]), unset))).toEqual({ class: 'needs-network', key: 'for its crates: the setting cratesIndex names no registry' })
    const broken = await muslin([], (_, response) => response.writeHead(502).end('<html>'))
    expect(await failure(fetched(lock([one]), broken))).toEqual({ class: 'infrastructure', key: 'the crate one 1.0.0 could not be fetched: HTTP status 502' })
    const gone = await muslin([])
    await gone.close()
    expect(await failure(fetched(lock([one]), gone))).toMatchObject({ class: 'infrastructure', key: expect.stringMatching(/could not be fetched/) })
  })

  test('come from nowhere else: a redirect is not followed', async () => {
    let asked = 0
    const elsewhere = createServer((socket) => { asked++; socket.destroy() })
    await new Promise<void>((resolve) => { elsewhere.listen(0, '127.0.0.1', resolve) })
    closers.push(() => new Promise((resolve) => { elsewhere.close(() => resolve()) }))
    const { port } = elsewhere.address() as AddressInfo
    const redirecting = await muslin([], (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end())
    expect(await failure(fetched(lock([one]), redirecting))).toMatchObject({ class: 'infrastructure' })
    expect(asked).toBe(0)
  })

  test('that hold what no crate does are not unpacked', async () => {
    const evil = (...blocks: Buffer[]) => ({ ...one, bytes: gzipSync(Buffer.concat([...blocks, END])) })
    const made = [evil(raw({ name: 'one-1.0.0/../../out' }, 'x')), evil(raw({ name: 'other/x' }, 'x')), evil(raw({ name: 'one-1.0.0/l', type: '2', linkname: '/etc/passwd' }))]
    for (const [index, crate] of made.entries()) {
      const { box } = local(`evil-${index}`)
      const path = join(folder, `${index}.crate`)
      await writeFile(path, crate.bytes)
      const carried = [{ filename: 'one-1.0.0.crate', path, size: crate.bytes.length, sha256: '' }]
      expect(await failure(placeCrates(box, lock([one]), carried))).toMatchObject({ class: 'bad-sdist', key: expect.stringMatching(/what no crate does/) })
    }
  })
})

test('an image without cargo is told before anything is compiled', async () => {
  const box = (exitCode: number) => ({ exec: async () => ({ exitCode, text: '' }) }) as unknown as Box
  await expect(needCargo(box(0))).resolves.toBeUndefined()
  expect(await failure(needCargo(box(127)))).toEqual({ class: 'missing-command', key: 'cargo', apks: ['cargo'] })
})

test('what the script says is hostile text', () => {
  expect(cratesFailure('crates: checksum a 1.0.0: \x1b[31mred')?.key).not.toContain('\x1b')
  expect(cratesFailure('Traceback')).toBeUndefined()
})
