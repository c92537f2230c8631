import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeApk, makeRepository } from '../standin/apk/repository.ts'
import { startServer, type TestServer } from '../upstream/index-server.ts'
import { AGENTS, makeRig, type Rig } from './rig.ts'

const ZLIB = '/apk/v3.21/main/x86_64/zlib-1.3.1-r0.apk'
const INDEX = '/apk/v3.21/main/x86_64/APKINDEX.tar.gz'

let repository: Map<string, Buffer>
beforeAll(async () => {
  const key = { name: 'test.rsa.pub', privateKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
  repository = await makeRepository([await makeApk({ name: 'zlib', version: '1.3.1-r0', files: { 'usr/lib/libz.so.1': 'elf' } }, key)], key)
})

let rig: Rig
let alpine: TestServer
beforeEach(async () => {
  rig = await makeRig()
  alpine = await startServer((request, response) => {
    const file = repository.get(request.url?.slice('/alpine/v3.21/main/'.length) ?? '')
    response.writeHead(file ? 200 : 404).end(file)
  })
  await rig.store.kept.setSource('apk/v3.21/main', `${alpine.origin}/alpine/v3.21/main`)
})
afterEach(async () => {
  await rig.close()
  await alpine.close()
})

test('a repository is served in Alpine\'s own layout', async () => {
  const index = await rig.get(INDEX)
  expect(index).toMatchObject({ status: 200, body: repository.get('x86_64/APKINDEX.tar.gz'), headers: { 'cache-control': 'no-cache' } })
  expect((await rig.get(INDEX, { 'if-none-match': index.headers.etag ?? '' })).status).toBe(304)
  const apk = await rig.get(ZLIB)
  expect(apk).toMatchObject({ status: 200, body: repository.get('x86_64/zlib-1.3.1-r0.apk'), headers: { 'cache-control': 'public, max-age=3600', 'content-type': 'application/octet-stream' } })
  expect(await rig.get(ZLIB, {}, 'HEAD')).toMatchObject({ status: 200, body: Buffer.alloc(0), headers: { 'content-length': String(apk.body.length) } })
  expect((await rig.get(ZLIB, { range: 'bytes=0-3' })).body).toEqual(apk.body.subarray(0, 4))
})

test('what was served once is served by the next process when the repository is out of reach', async () => {
  await rig.get(ZLIB)
  await alpine.close()
  await rig.restart()
  await rig.clock.advance(24 * 60 * 60_000)
  expect((await rig.get(INDEX)).status).toBe(200)
  expect((await rig.get(ZLIB)).status).toBe(200)
})

test.each([
  '/apk/v3.20/main/x86_64/APKINDEX.tar.gz', '/apk/v3.21/main/x86_64/other.txt', '/apk/v3.21/main/x86_64/absent-1-r0.apk', '/apk/v3.21/main/x86_64/', '/apk/v3.21/main/',
  '/apk/v3.21/main/x86_64/%2e%2e%2fsecret.apk', '/apk/v3.21/main/..%2fmain/APKINDEX.tar.gz', '/apk/v3.21/%2e%2e/x86_64/APKINDEX.tar.gz',
])('%s is not found', async (path) => {
  expect((await rig.get(path)).status).toBe(404)
  expect(alpine.requests.filter(({ url }) => url !== '/alpine/v3.21/main/x86_64/APKINDEX.tar.gz')).toEqual([])
})

test('who reads starts nothing, whoever it is', async () => {
  await rig.ready()
  for (const agent of Object.values(AGENTS)) expect((await rig.get(ZLIB, { 'user-agent': agent })).status).toBe(200)
  expect((await rig.get(ZLIB, { 'user-agent': 'libfetch/2.0' })).status).toBe(200)
  expect(await rig.store.jobs.list({})).toEqual([])
})

test('a repository that fails is told as such', async () => {
  await alpine.close()
  const answer = await rig.get(ZLIB, { accept: 'application/problem+json' })
  expect(answer.status).toBe(502)
  expect(answer.body.toString()).toMatch(/apkMirror/)
})
