import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JSON_V1, sha256, type SyntheticFile } from '../synthetic-upstream.ts'
import { AGENTS, makeRig, type Rig, TARGET } from './rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig() })
afterEach(() => rig.close())

const METADATA = 'Metadata-Version: 2.1\nName: p\nVersion: 1.0\n'
const wheel: SyntheticFile = { filename: 'p-1.0-py3-none-any.whl', bytes: Buffer.from('0123456789'.repeat(10)), metadata: METADATA }

async function listed(file: SyntheticFile): Promise<string> {
  rig.upstream.project('p', [file])
  await rig.clock.advance(61_000)
  await rig.get('/simple/p/', { accept: JSON_V1 })
  return `/files/${sha256(file.bytes)}/${file.filename}`
}

test('a file comes with its digest as tag, for ever, and from our own store the second time', async () => {
  const path = await listed(wheel)
  const first = await rig.get(path)
  expect(first).toMatchObject({ status: 200, body: wheel.bytes })
  expect(first.headers).toMatchObject({
    'etag': `"${sha256(wheel.bytes)}"`, 'content-length': '100', 'cache-control': 'public, max-age=31536000, immutable',
    'content-disposition': 'attachment; filename="p-1.0-py3-none-any.whl"', 'x-content-type-options': 'nosniff', 'content-security-policy': 'sandbox',
  })
  rig.upstream.break(500)
  await rig.restart()
  expect(await rig.get(path)).toMatchObject({ status: 200, body: wheel.bytes })
  expect((await rig.get(path, { 'if-none-match': first.headers.etag! })).status).toBe(304)
  const head = await rig.get(path, {}, 'HEAD')
  expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0), headers: { 'content-length': '100', 'accept-ranges': 'bytes' } })
})

test('single ranges of what is stored', async () => {
  const path = await listed(wheel)
  const { headers: { etag } } = await rig.get(path)
  const range = async (value: string, more: Record<string, string> = {}) => {
    const { status, headers, body } = await rig.get(path, { range: value, ...more })
    return [status, headers['content-range'], body.length]
  }
  expect(await range('bytes=0-9')).toEqual([206, 'bytes 0-9/100', 10])
  expect(await range('bytes=95-')).toEqual([206, 'bytes 95-99/100', 5])
  expect(await range('bytes=-3')).toEqual([206, 'bytes 97-99/100', 3])
  expect(await range('bytes=0-9', { 'if-range': etag! })).toEqual([206, 'bytes 0-9/100', 10])
  expect(await range('bytes=0-9', { 'if-range': '"other"' })).toEqual([200, undefined, 100])
  expect(await range('bytes=0-1,4-5')).toEqual([200, undefined, 100])
  expect(await range('items=0-1')).toEqual([200, undefined, 100])
  expect((await range('bytes=100-')).slice(0, 2)).toEqual([416, 'bytes */100'])
})

test('only recorded pairs of digest and name are served', async () => {
  const path = await listed(wheel)
  await rig.get(path)
  for (const other of [path.replace('p-1.0', 'q-1.0'), path.replace(/[0-9a-f]{64}/, 'f'.repeat(64)), '/files/short/p.whl', '/files/..%2f..%2f/p.whl', `${path}.metadata.metadata`]) {
    expect([other, (await rig.get(other)).status]).toEqual([other, 404])
  }
})

test('one fetch feeds all who wait, from the first byte on; a leader who leaves harms nobody', async () => {
  const until = Promise.withResolvers<void>()
  const bytes = Buffer.alloc(3_000_000, 'x')
  const path = await listed({ ...wheel, bytes, stall: { after: 2_000_000, until: until.promise } })
  const leader = rig.open(path)
  const first = await leader.response
  await once(first, 'data')
  const followers = [rig.open(path), rig.open(path)]
  const answers = await Promise.all(followers.map(({ response }) => response))
  leader.request.destroy()
  until.resolve()
  for (const answer of answers) {
    expect(answer.headers['content-length']).toBe('3000000')
    expect((await text(answer)).length).toBe(3_000_000)
  }
  expect(rig.upstream.requests.filter((line) => line.endsWith('.whl'))).toHaveLength(1)
})

test('bytes of another digest: every reader is cut before the end, and nothing is kept', async () => {
  const bytes = Buffer.alloc(3_000_000, 'x')
  const until = Promise.withResolvers<void>()
  const path = await listed({ ...wheel, bytes, sent: Buffer.alloc(3_000_000, 'y'), stall: { after: 2_000_000, until: until.promise } })
  const readers = [rig.open(path), rig.open(path)]
  const answers = await Promise.all(readers.map(({ response }) => response))
  until.resolve()
  for (const answer of answers) await expect(text(answer)).rejects.toThrow('aborted')
  expect(await rig.blobs.stat(sha256(bytes))).toBeUndefined()
  expect(await rig.blobs.stat(sha256(Buffer.alloc(3_000_000, 'y')))).toBeUndefined()
})

test('what fails before its first byte is an error answer', async () => {
  const path = await listed({ ...wheel, sent: Buffer.from('short') })
  const mismatch = await rig.get(path)
  expect(mismatch.status).toBe(502)
  expect(JSON.parse(mismatch.body.toString()).code).toBe('digest-mismatch')
  rig.upstream.break(503)
  expect((await rig.get(path)).status).toBe(502)
})

test('metadata by its announced digest, or by what the first fetch gave', async () => {
  const path = `${await listed(wheel)}.metadata`
  const answer = await rig.get(path)
  expect(answer).toMatchObject({ status: 200, headers: { etag: `"${sha256(METADATA)}"` } })
  expect(answer.body.toString()).toBe(METADATA)
  const lying: SyntheticFile = { ...wheel, metadata: 'Name: other\n', keys: { 'core-metadata': { sha256: sha256(METADATA.repeat(2)) } } }
  expect((await rig.get(`${await listed({ ...lying, bytes: Buffer.from('another') })}.metadata`)).status).toBe(502)

  const undigested = `${await listed({ ...wheel, bytes: Buffer.from('undigested'), undigested: true })}.metadata`
  expect((await rig.get(undigested)).body.toString()).toBe(METADATA)
  rig.upstream.break(500)
  expect((await rig.get(undigested)).body.toString()).toBe(METADATA)
  const none = await listed({ filename: 'p-1.0.tar.gz', bytes: Buffer.from('sdist') })
  rig.upstream.break(undefined)
  expect((await rig.get(`${none}.metadata`)).status).toBe(404)
})

test('installers\' downloads are counted: whole files and beginnings, nothing else', async () => {
  const path = await listed(wheel)
  const counted = async () => {
    await rig.downloads.flush()
    return (await rig.store.downloads.totals()).files
  }
  const pip = { 'user-agent': AGENTS.pip }
  const { headers: { etag } } = await rig.get(path, pip)
  expect(await counted(), 'a file that is fetched from the upstream').toBe(1)
  await rig.get(path, { 'user-agent': AGENTS.uv, 'range': 'bytes=0-9' })
  await rig.get(path, { ...pip, range: 'bytes=0-1,4-5' })
  await rig.get(path, { 'user-agent': AGENTS.poetry })
  expect(await counted()).toBe(4)
  await rig.get(path, pip, 'HEAD')
  await rig.get(path, { ...pip, 'if-none-match': etag! })
  await rig.get(path, { ...pip, range: 'bytes=10-' })
  await rig.get(path, { ...pip, range: 'bytes=100-' })
  await rig.get(`${path}.metadata`, pip)
  await rig.get(path.replace('p-1.0', 'q-1.0'), pip)
  await rig.get(path, { 'user-agent': AGENTS.browser })
  await rig.get(path)
  await rig.get(path, { 'user-agent': `${AGENTS.pip.slice(0, -1)},"user_data":"muslin-builder"}` })
  expect(await counted()).toBe(4)
})

test('a wheel that was built here has its record and a statement of where it comes from; nothing else has', async () => {
  const upstream = await listed(wheel)
  await rig.ready()
  await rig.store.jobs.wish({
    kind: 'build', project: 'p', version: '1.0', sdist: { sha256: 'a'.repeat(64), filename: 'p-1.0.tar.gz' }, target: TARGET, recipe: '', image: 'image-1', priority: 40, askedBy: 'x',
  }, rig.clock.now())
  const job = await rig.claim()
  const log = await rig.logs.open(job.build)
  log.write('hello\n')
  await log.close()
  const bytes = Buffer.from('a wheel')
  await rig.publish(job, bytes, METADATA, { filename: 'p-1.0-1-py3-none-any.whl' })
  const { status, body } = await rig.get(`/files/${sha256(bytes)}/p-1.0-1-py3-none-any.whl.record.json`)
  expect(status).toBe(200)
  expect(JSON.parse(body.toString())).toMatchObject({ record: {}, provenance: {
    _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'p-1.0-1-py3-none-any.whl', digest: { sha256: sha256(bytes) } }],
    predicate: { runDetails: { byproducts: [{ name: 'log', digest: { sha256: sha256(Buffer.from('hello\n')) } }] } },
  } })
  for (const path of [upstream, `/files/${'0'.repeat(64)}/p-1.0-1-py3-none-any.whl`]) expect((await rig.get(`${path}.record.json`)).status, path).toBe(404)
})
