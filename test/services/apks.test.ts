import { createHash, generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApkBranches, type Apks } from '../../src/services/apks.ts'
import { createRemoteFiles } from '../../src/upstream/remote-files.ts'
import { makeApk, makeRepository, type ApkSpec, type SigningKey } from '../standin/apk/repository.ts'
import { type Bench, makeBench, silent } from './bench.ts'

const KEY: SigningKey = { name: 'test.rsa.pub', privateKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
const PATH = 'apk/v3.21/main'
const ZLIB = 'zlib-1.3.1-r0.apk'
const MINUTES = 60_000
const code = (expected: string) => expect.objectContaining({ code: expected })

let bench: Bench
let server: Server
let origin: string
let files: Map<string, Buffer>
let requests: IncomingMessage[]
let answering: 'well' | 'never' | number
let remote: ReturnType<typeof createRemoteFiles>
let apks: Apks
beforeEach(async () => {
  bench = await makeBench()
  requests = []
  answering = 'well'
  server = createServer((request, response) => {
    requests.push(request)
    if (answering === 'never') return void request.socket.destroy()
    const file = files.get(request.url?.replace('/alpine/v3.21/main/', '') ?? '')
    if (answering !== 'well' || !file) return void response.writeHead(answering === 'well' ? 404 : answering).end()
    const etag = etagOf(file)
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
    response.writeHead(200, { etag, 'content-length': file.length }).end(file)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await publish({ name: 'zlib', version: '1.3.1-r0', files: { 'usr/lib/libz.so.1': 'elf' } })
  remote = createRemoteFiles({ address: undefined, setting: 'apkMirror', ca: undefined, instance: 'this-one', log: silent, clock: bench.clock })
  apks = make()
  await apks.serve([`${origin}/alpine/v3.21/main`])
})
afterEach(async () => {
  await remote.close()
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
  await bench.close()
})

const etagOf = (file: Buffer) => `"${createHash('sha256').update(file).digest('hex')}"`

function make(mirror?: string): Apks {
  return createApkBranches({ kept: bench.store.kept, blobs: bench.blobs, remote, clock: bench.clock, log: silent, mirror })
}

async function publish(...specs: ApkSpec[]): Promise<void> {
  files = await makeRepository(await Promise.all(specs.map((spec) => makeApk(spec, KEY))), KEY)
}

const fetched = () => requests.map(({ url }) => url?.slice('/alpine/v3.21/main/x86_64/'.length))
async function bytes(file: string, by = apks): Promise<Buffer> {
  return buffer((await (await by.open(PATH, 'x86_64', file)).read()).body)
}
const there = (file: string) => files.get(`x86_64/${file}`) as Buffer

describe('repositories', () => {
  test('of Alpine\'s layout keep their names; another server\'s, and others, have paths of their own', async () => {
    const named = ['https://alpine.example/alpine/v3.21/main', 'https://alpine.example/alpine/v3.21/community', `${origin}/alpine/v3.21/main/`, 'https://os.example/packages']
    const paths = await apks.serve(named)
    expect(paths).toEqual([expect.stringMatching(/^apk\/v3\.21-[0-9a-f]{12}\/main$/), 'apk/v3.21/community', PATH, expect.stringMatching(/^apk\/other\/[0-9a-f]{12}$/)])
    expect(await make().serve(named)).toEqual(paths)
    expect(await bench.store.kept.source(paths[3] ?? '')).toBe('https://os.example/packages')
  })

  test('come from the mirror where one is set, and its password is kept nowhere', async () => {
    const mirrored = make(`${origin.replace('//', '//me:secret@')}/alpine/`)
    expect(await mirrored.serve(['https://alpine.example/alpine/v3.21/main', 'https://other.example/v3.21/main', 'https://os.example/packages'])).toEqual([PATH, PATH, expect.stringMatching(/^apk\/other\//)])
    expect(await bench.store.kept.source(PATH)).toBe(`${origin}/alpine/v3.21/main`)
  })

  test('that no image named are not served, nor what is no file of one', async () => {
    await expect(apks.open('apk/v3.20/main', 'x86_64', 'APKINDEX.tar.gz')).rejects.toEqual(code('not-found'))
    for (const [path, arch, file] of [[PATH, 'x86_64', 'other.txt'], [PATH, '..', ZLIB], ['apk/v3.21/../main', 'x86_64', ZLIB], [PATH, 'x86_64', 'absent-1.apk']] as const) {
      await expect(apks.open(path, arch, file)).rejects.toEqual(code('not-found'))
    }
    expect(fetched()).toEqual(['APKINDEX.tar.gz'])
  })
})

describe('an index', () => {
  test('is asked for once by all who wait, and is fresh for ten minutes', async () => {
    const [first] = await Promise.all([bytes('APKINDEX.tar.gz'), bytes('APKINDEX.tar.gz'), apks.index([PATH], 'x86_64')])
    expect(first).toEqual(there('APKINDEX.tar.gz'))
    await bench.clock.advance(9 * MINUTES)
    expect((await make().index([PATH], 'x86_64')).map(({ name }) => name)).toEqual(['zlib'])
    expect(fetched()).toEqual(['APKINDEX.tar.gz'])
  })

  test('is asked for anew then, and sent only where it changed', async () => {
    await apks.index([PATH], 'x86_64')
    await bench.clock.advance(11 * MINUTES)
    await apks.index([PATH], 'x86_64')
    expect(requests[1]?.headers['if-none-match']).toBe(etagOf(there('APKINDEX.tar.gz')))
    await bench.clock.advance(9 * MINUTES)
    await publish({ name: 'zlib', version: '1.3.1-r0' }, { name: 'zstd', version: '1.5.6-r0' })
    await apks.index([PATH], 'x86_64')
    expect(requests).toHaveLength(2)
    await bench.clock.advance(2 * MINUTES)
    expect((await apks.index([PATH], 'x86_64')).map(({ name }) => name)).toEqual(['zlib', 'zstd'])
    const [index] = await apks.indexes([PATH], 'x86_64')
    expect(index && await buffer(await index.open())).toEqual(there('APKINDEX.tar.gz'))
    expect(index).toMatchObject({ path: PATH, size: there('APKINDEX.tar.gz').length })
  })

  test.each(['never', 503, 404] as const)('that is old does where its repository answers: %s, however long, and is not asked for each time', async (how) => {
    const first = await bytes('APKINDEX.tar.gz')
    answering = how
    await bench.clock.advance(365 * 24 * 60 * MINUTES)
    expect(await bytes('APKINDEX.tar.gz')).toEqual(first)
    const asked = requests.length
    expect(await bytes('APKINDEX.tar.gz')).toEqual(first)
    expect(requests).toHaveLength(asked)
  })

  test.each(['never', 503, 404] as const)('that is old says of when it is and what went wrong, as long as its repository answers: %s', async (how) => {
    const older = async () => (await apks.indexes([PATH], 'x86_64'))[0]?.older
    const fetchedAt = bench.clock.now()
    expect(await older()).toBeUndefined()
    answering = how
    await bench.clock.advance(9 * MINUTES)
    expect(await older(), 'none was due').toBeUndefined()
    await bench.clock.advance(2 * MINUTES)
    const told = { fetchedAt, why: expect.stringContaining(how === 404 ? 'is there no more' : how === 503 ? '503' : 'closed the connection') }
    expect(await older()).toEqual(told)
    const asked = requests.length
    expect(await older()).toEqual(told)
    expect(requests, 'it is not asked each time').toHaveLength(asked)
    answering = 'well'
    await bench.clock.advance(MINUTES)
    expect(await older()).toBeUndefined()
  })

  test('is of a path and a CPU that may stand in an address, or of none', async () => {
    await apks.index([PATH], 'x86_64')
    for (const [path, arch] of [[PATH, 'x86_64/../../../secret?'], [PATH, '..'], ['apk/v3.21/../main', 'x86_64']] as const) {
      await expect(apks.index([path], arch)).rejects.toEqual(code('not-found'))
    }
    expect(requests).toHaveLength(1)
  })

  test('that was never had throws what went wrong; one that a repository has not is left out', async () => {
    answering = 503
    await expect(apks.index([PATH], 'x86_64')).rejects.toMatchObject({ code: 'upstream-refused' })
    answering = 'well'
    expect(await apks.indexes([PATH], 'riscv64')).toEqual([])
    await expect(apks.open(PATH, 'riscv64', 'APKINDEX.tar.gz')).rejects.toEqual(code('not-found'))
  })

  test('that cannot be read is not kept', async () => {
    files.set('x86_64/APKINDEX.tar.gz', Buffer.from('<html>please log in</html>'))
    await expect(apks.index([PATH], 'x86_64')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('apkMirror') })
    await publish({ name: 'zstd', version: '1.5.6-r0' })
    expect((await apks.index([PATH], 'x86_64')).map(({ name }) => name)).toEqual(['zstd'])
  })
})

describe('an apk', () => {
  test('is fetched once by all who wait, and kept for ever', async () => {
    expect(await Promise.all([bytes(ZLIB), bytes(ZLIB)])).toEqual([there(ZLIB), there(ZLIB)])
    expect(fetched()).toEqual(['APKINDEX.tar.gz', ZLIB])
    answering = 'never'
    await bench.clock.advance(365 * 24 * 60 * MINUTES)
    expect(await bytes(ZLIB, make())).toEqual(there(ZLIB))
    const part = await (await apks.open(PATH, 'x86_64', ZLIB)).read({ start: 2, end: 5 })
    expect([await buffer(part.body), part.length]).toEqual([there(ZLIB).subarray(2, 6), 4])
  })

  test('that is not listed any more is still there for who wants the same as last time', async () => {
    const first = await bytes(ZLIB)
    await publish({ name: 'zlib', version: '1.3.2-r0' })
    await bench.clock.advance(11 * MINUTES)
    expect((await apks.index([PATH], 'x86_64'))[0]?.version).toBe('1.3.2-r0')
    expect(await bytes(ZLIB)).toEqual(first)
  })

  test('that was made again under its name is fetched again', async () => {
    const first = await bytes(ZLIB)
    await publish({ name: 'zlib', version: '1.3.1-r0', files: { 'usr/lib/libz.so.1': 'another elf' } })
    await bench.clock.advance(11 * MINUTES)
    expect(await bytes(ZLIB)).toEqual(there(ZLIB))
    expect(there(ZLIB)).not.toEqual(first)
  })

  test.each([
    ['longer', (right: Buffer) => Buffer.concat([right, Buffer.alloc(3 << 20)])],
    ['shorter', (right: Buffer) => right.subarray(0, -1)],
    ['of another content', (right: Buffer) => Buffer.concat([right.subarray(0, -9), Buffer.alloc(9)])],
  ])('that is %s than its index says is refused, and nothing of it is kept', async (_, spoil) => {
    const right = there(ZLIB)
    files.set(`x86_64/${ZLIB}`, spoil(right))
    await expect(bytes(ZLIB)).rejects.toEqual(code('digest-mismatch'))
    expect(await bench.store.kept.get(`${PATH}/x86_64/${ZLIB}`)).toBeUndefined()
    files.set(`x86_64/${ZLIB}`, right)
    expect(await bytes(ZLIB)).toEqual(right)
  })

  test('that its mirror lacks is told', async () => {
    files.delete(`x86_64/${ZLIB}`)
    await expect(bytes(ZLIB)).rejects.toMatchObject({ code: 'upstream-refused', detail: expect.stringContaining('apkMirror') })
  })

  test('whose bytes somebody removed is fetched again', async () => {
    await bytes(ZLIB)
    await bench.blobs.remove((await apks.open(PATH, 'x86_64', ZLIB)).sha256)
    await bench.blobs.remove((await apks.open(PATH, 'x86_64', 'APKINDEX.tar.gz')).sha256)
    expect(await bytes(ZLIB)).toEqual(there(ZLIB))
  })
})
