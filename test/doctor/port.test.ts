import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeServerFile } from '../../src/config/data-folder.ts'
import { portChecks } from '../../src/doctor/port.ts'
import { makeRig } from '../http/rig.ts'
import { temporaryFolder } from '../storage/folder.ts'

let data: string
let remove: () => Promise<void>
beforeEach(async () => { ({ folder: data, remove } = await temporaryFolder()) })
afterEach(() => remove())

/** The check of the port, where that is all there is to tell. */
async function only(settings: Parameters<typeof portChecks>[0]) {
  const checks = await portChecks(settings)
  expect(checks).toHaveLength(1)
  return checks[0]
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('a free port is free, and still is afterwards', async () => {
  const server = createServer()
  const port = await listening(server)
  server.close()
  const free = { state: 'ok', found: `${port} is free` }
  expect(await only({ data, port, host: '127.0.0.1' })).toMatchObject(free)
  expect(await only({ data, port, host: '127.0.0.1' })).toMatchObject(free)
  expect(await only({ data, port: 0, host: 'auto' })).toMatchObject({ state: 'ok', found: 'any free one' })
})

test('an address that is not this machine\'s fails', async () => {
  expect(await only({ data, port: 8080, host: '192.0.2.1' })).toMatchObject({ state: 'fail', found: expect.stringContaining('EADDRNOTAVAIL') })
})

test('another server on it fails', async () => {
  const server = createServer((_request, response) => { response.end('{"ready":"no boolean"}') })
  const port = await listening(server)
  expect(await only({ data, port, host: '127.0.0.1' })).toMatchObject({ state: 'fail', found: `${port} is taken by something else`, remedy: expect.stringContaining('--port') })
  server.close()
  server.closeAllConnections()
})

test('a server of this data folder is as it should be; one of another folder is in the way', async () => {
  const rig = await makeRig()
  const port = Number(new URL(rig.url).port)
  try {
    expect(await only({ data, port, host: '127.0.0.1' })).toMatchObject({ state: 'fail', found: expect.stringContaining('a Muslin of another data folder') })
    await writeServerFile(data, { url: rig.url, scheme: 'http', port, pid: process.pid, instance: 'x' })
    expect(await only({ data, port, host: '127.0.0.1' })).toMatchObject({ state: 'ok', found: expect.stringContaining('the server of this data folder listens') })
    rig.closing.abort()
    expect(await only({ data, port, host: '127.0.0.1' })).toMatchObject({ state: 'warn', found: expect.stringContaining('not ready') })
  } finally {
    await rig.close()
  }
})

test('the server of this data folder is told where it listens on another port than the settings say', async () => {
  const rig = await makeRig()
  const port = Number(new URL(rig.url).port)
  const settings = { data, port: 0, host: 'auto' }
  try {
    for (const host of [undefined, '127.0.0.1', '0.0.0.0']) {
      await writeServerFile(data, { url: rig.url, scheme: 'http', port, host, pid: process.pid, instance: 'x' })
      expect(await portChecks(settings)).toEqual([
        { state: 'ok', name: 'port', found: 'any free one', remedy: undefined },
        { state: 'ok', name: 'server', found: `the server of this data folder listens on ${port}`, remedy: undefined },
      ])
    }
    rig.closing.abort()
    expect((await portChecks(settings))[1]).toMatchObject({ state: 'warn', name: 'server', found: expect.stringContaining('not ready') })
  } finally {
    await rig.close()
  }
  expect(await only(settings)).toMatchObject({ name: 'port' })
})
