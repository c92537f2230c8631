import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { MuslinError } from '../../src/errors.ts'
import { MOST_BODY_BYTES } from '../../src/services/bounds.ts'
import { readForm } from '../../src/ui/read-form.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => { for (const end of ends.splice(0)) await end() })

/** What a server reads of a form: fields by name and files, or the error's code and detail. */
async function server(): Promise<string> {
  const listening = createServer((req, res) => {
    readForm(req, { most: MOST_BODY_BYTES }).then(
      (form) => res.end(JSON.stringify({ name: form.values('name'), first: form.value('name') ?? null, missing: form.value('missing') ?? null, files: form.files })),
      (error: unknown) => res.end(error instanceof MuslinError ? JSON.stringify({ code: error.code, detail: error.detail }) : String(error)),
    )
  }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  ends.push(() => new Promise((resolve) => { listening.close(resolve); listening.closeAllConnections() }))
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`
}

async function read(body: FormData | URLSearchParams | string, headers: Record<string, string> = {}): Promise<unknown> {
  return await (await fetch(await server(), { method: 'POST', body, headers })).json()
}

const file = (content: string | Uint8Array<ArrayBuffer>, name: string): File => new File([content], name)

test('urlencoded: all values of a name, in their order, with plain line ends', async () => {
  const body = new URLSearchParams([['name', 'a==1\r\nb==2'], ['other', 'x'], ['name', 'ünï ✓ & =']])
  expect(await read(body)).toEqual({ name: ['a==1\nb==2', 'ünï ✓ & ='], first: 'a==1\nb==2', missing: null, files: [] })
})

test('multipart: fields and files', async () => {
  const body = new FormData()
  body.append('name', 'one\r\ntwo\rthree')
  body.append('files', file('crcmod==1.7\r\n', 'requirements.txt'))
  body.append('files', file('\ufeffversion = 1\n', 'uv.lock'))
  expect(await read(body)).toEqual({
    name: ['one\ntwo\nthree'], first: 'one\ntwo\nthree', missing: null,
    files: [{ field: 'files', name: 'requirements.txt', text: 'crcmod==1.7\r\n', form: 'utf-8' }, { field: 'files', name: 'uv.lock', text: 'version = 1\n', form: 'utf-8-marked' }],
  })
})

test('a file input in which nothing was chosen brings no file; an empty file is one', async () => {
  const body = new FormData()
  body.append('files', file('', ''))
  body.append('files', file('', 'requirements.txt'))
  expect(await read(body)).toMatchObject({ files: [{ name: 'requirements.txt', text: '' }] })
})

test('UTF-16 with its mark is text, other bytes are not', async () => {
  const body = new FormData()
  body.append('files', file(new Uint8Array(Buffer.from('\ufeffcrcmod==1.7\n', 'utf16le')), 'requirements.txt'))
  expect(await read(body)).toMatchObject({ files: [{ text: 'crcmod==1.7\n' }] })
  const bad = new FormData()
  bad.append('files', file(new Uint8Array([0x50, 0x4b, 3, 4, 0xff, 0xfe, 0xc3]), 'numpy.whl'))
  expect(await read(bad)).toEqual({ code: 'bad-request', detail: 'numpy.whl is no text in UTF-8; choose a requirements or lock file' })
})

test('a path in a file name is cut', async () => {
  const body = new FormData()
  body.append('files', file('', '../../etc/requirements.txt'))
  expect(await read(body)).toMatchObject({ files: [{ name: 'requirements.txt' }] })
})

test('more than 50 files, or more than 20 MB whether announced or not, is too large', async () => {
  const many = new FormData()
  for (let index = 0; index < 51; index += 1) many.append('files', file('a', `${index}.txt`))
  expect(await read(many)).toEqual({ code: 'too-large', detail: 'a form may bring 50 files' })

  const big = new FormData()
  big.append('files', file('a'.repeat(MOST_BODY_BYTES), 'requirements.txt'))
  expect(await read(big)).toEqual({ code: 'too-large', detail: 'this form may be 20 MB' })

  const url = await server()
  const chunked = send(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  const answer = once(chunked, 'response')
  for (let sent = 0; sent <= MOST_BODY_BYTES; sent += 1 << 20) chunked.write(Buffer.alloc(1 << 20, 'a'))
  chunked.end()
  const [response] = await answer
  expect(JSON.parse(String(await response.toArray()))).toEqual({ code: 'too-large', detail: 'this form may be 20 MB' })
})

test('a form that brings no file may be small, told of or not', async () => {
  const ended: unknown[] = []
  const listening = createServer((req, res) => { void readForm(req).then(() => 'read', (error: MuslinError) => error.detail).then((told) => { ended.push(told); res.end() }) }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  ends.push(() => new Promise((resolve) => { listening.close(resolve); listening.closeAllConnections() }))
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`
  for (const size of [15_000, 16_000]) await fetch(url, { method: 'POST', body: new URLSearchParams({ token: 'a'.repeat(size) }) })
  const body = new ReadableStream({ start(controller) { controller.enqueue(Buffer.alloc(20_000, 'a')); controller.close() } })
  await fetch(url, { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/x-www-form-urlencoded' } } as RequestInit)
  expect(ended).toEqual(['read', 'this form may be 16 kB', 'this form may be 16 kB'])
})

test('what is no form, or ends in the middle, is refused', async () => {
  expect(await read('{}', { 'content-type': 'application/json' })).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('cannot be read') })
  expect(await read('--x\r\n', { 'content-type': 'multipart/form-data' })).toMatchObject({ code: 'bad-request' })
  const cut = '--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhalf'
  expect(await read(cut, { 'content-type': 'multipart/form-data; boundary=x' })).toMatchObject({ code: 'bad-request' })
})

test('a form that is broken off by its client ends the reading', async () => {
  const ended = Promise.withResolvers<unknown>()
  const listening = createServer((req) => { readForm(req).then(ended.resolve, ended.reject) }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  ends.push(() => new Promise((resolve) => { listening.close(resolve) }))
  const { port } = listening.address() as AddressInfo
  const request = send({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '100' } })
  request.on('error', () => {})
  request.write('name=', () => request.destroy())
  await expect(ended.promise).rejects.toMatchObject({ code: 'bad-request', detail: 'the form cannot be read: aborted' })
})
