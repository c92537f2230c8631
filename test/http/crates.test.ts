import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCrate, registryListener } from '../fixtures/registry.ts'
import { startServer, type TestServer } from '../upstream/index-server.ts'
import { makeRig, type Rig } from './rig.ts'

const crate = makeCrate({ name: 'Demo_x', version: '1.0.0-rc.1+b' })
let registry: TestServer
let rig: Rig
beforeEach(async () => {
  registry = await startServer(registryListener([crate]))
  rig = await makeRig({ registry: `${registry.origin}/index/` })
})
afterEach(async () => {
  await rig.close()
  await registry.close()
})

const json = async (path: string, headers?: Record<string, string>) => JSON.parse((await rig.get(path, headers)).body.toString()) as unknown

test('the index sends cargo here for its downloads, under the name that it used', async () => {
  const { host } = new URL(rig.url)
  expect(await json('/crates/index/config.json')).toEqual({ dl: `http://${host}/crates/dl` })
  expect(await json('/crates/index/config.json', { host: 'muslin.internal' })).toEqual({ dl: 'http://muslin.internal/crates/dl' })
  expect(await rig.get('/crates/index/config.json', { host: 'evil.example' })).toMatchObject({ status: 400, reason: expect.stringContaining('allowedHosts') })
})

test('inside a build cargo goes on where it came, whatever publicUrl is: that one is not reached from there', async () => {
  await rig.restart({ registry: `${registry.origin}/index/`, publicUrl: 'https://wheels.example/muslin' })
  expect(await json('/crates/index/config.json')).toEqual({ dl: `${rig.url}/crates/dl` })
  expect(await json('/crates/index/config.json', { host: 'wheels.example' })).toEqual({ dl: 'https://wheels.example/muslin/crates/dl' })
})

test('the file of a crate is passed through under its one address', async () => {
  const answer = await rig.get('/crates/index/de/mo/demo_x')
  expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-cache' } })
  expect(JSON.parse(answer.body.toString())).toMatchObject({ name: 'Demo_x', vers: '1.0.0-rc.1+b', cksum: crate.checksum })
  expect((await rig.get('/crates/index/de/mo/demo_x', { 'if-none-match': answer.headers.etag! })).status).toBe(304)
  for (const path of ['de/mo/Demo_x', 'demo_x', 'xx/yy/demo_x', 'ot/he/other', 'de/mo/', '..%2f..%2fx']) expect((await rig.get(`/crates/index/${path}`)).status).toBe(404)
})

test('a crate comes for ever, from our own store once the registry is gone', async () => {
  const path = `/crates/dl/Demo_x/${encodeURIComponent('1.0.0-rc.1+b')}/download`
  expect(await rig.get(path)).toMatchObject({ status: 200, body: crate.bytes, headers: { etag: `"${crate.checksum}"`, 'cache-control': 'public, max-age=31536000, immutable' } })
  await registry.close()
  await rig.restart()
  expect(await rig.get(path)).toMatchObject({ status: 200, body: crate.bytes })
  expect((await rig.get('/crates/dl/Demo_x/2.0.0/download')).status).toBe(404)
})

test('without a registry the answer names the setting', async () => {
  const bare = await makeRig()
  try {
    const answer = await bare.get('/crates/dl/demo/1.0.0/download')
    expect(answer).toMatchObject({ status: 503, reason: expect.stringContaining('cratesIndex') })
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'no-crates-index' })
  } finally {
    await bare.close()
  }
})
