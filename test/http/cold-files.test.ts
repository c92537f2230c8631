import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { wheelContents, zip } from '../fixtures/make-wheel.ts'
import { JSON_V1, sha256, type SyntheticFile } from '../synthetic-upstream.ts'
import { AGENTS, makeRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig({ xAccel: '/muslin-blobs/' }) })
afterEach(() => rig.close())

const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n'
const BYTES = Buffer.alloc(300_000, 'wheel')
const big: SyntheticFile = { filename: 'demo-1.0-py3-none-any.whl', bytes: BYTES, ranges: true, tag: '"1"' }

async function listed(...files: SyntheticFile[]): Promise<string> {
  rig.upstream.project('demo', files)
  await rig.clock.advance(61_000)
  await rig.get('/simple/demo/', { accept: JSON_V1 })
  return pathOf(files[0]!)
}

const pathOf = ({ bytes, filename }: SyntheticFile) => `/files/${sha256(bytes)}/${filename}`
const fetched = () => rig.upstream.requests.filter((line) => line.includes('/packages/'))
const ranges = () => rig.upstream.requests.flatMap((line, at) => line.includes('/packages/') ? [rig.upstream.headers[at]?.range ?? ''] : [])
const page = async (agent: string, accept = JSON_V1) => (await rig.get('/simple/demo/', { accept, 'user-agent': agent })).body.toString()
const wheelOf = async (metadata = METADATA, more: Partial<SyntheticFile> = {}): Promise<SyntheticFile> => ({
  filename: 'demo-1.0-py3-none-any.whl', bytes: Buffer.from(await zip(wheelContents({ 'demo/data.bin': Buffer.alloc(200_000, Math.random().toString()) }, { metadata }))), ranges: true, ...more,
})

describe('a file that is not here', () => {
  test('is described by HEAD at once, and not fetched', async () => {
    const path = await listed(big)
    const { status, headers, body } = await rig.get(path, { 'user-agent': AGENTS.uv }, 'HEAD')
    expect({ status, body }).toEqual({ status: 200, body: Buffer.alloc(0) })
    expect(headers).toMatchObject({ 'content-length': '300000', 'accept-ranges': 'bytes', 'etag': `"${sha256(BYTES)}"`, 'x-content-type-options': 'nosniff' })
    expect(fetched()).toEqual([])
  })

  test('whose page tells no size is asked for it', async () => {
    const path = await listed({ ...big, keys: { size: null } })
    expect((await rig.get(path, { range: 'bytes=-5' })).body).toHaveLength(5)
    expect((await rig.get(path, {}, 'HEAD')).headers).toMatchObject({ 'content-length': '300000', 'accept-ranges': 'bytes' })
    expect(ranges()).toEqual(['bytes=0-0', 'bytes=299995-299999'])
  })

  test('gives its end, its middle and an open end before the whole is here; no cache may keep what nobody could check', async () => {
    const path = await listed(big)
    for (const [range, told, length] of [['bytes=-22', 'bytes 299978-299999/300000', 22], ['bytes=10-19', 'bytes 10-19/300000', 10], ['bytes=299990-', 'bytes 299990-299999/300000', 10]] as const) {
      const { status, headers, body } = await rig.get(path, { range })
      expect([status, headers['content-range'], body.length, headers['cache-control']]).toEqual([206, told, length, 'no-store'])
      expect(headers).toMatchObject({ 'content-length': String(length), 'content-security-policy': 'sandbox' })
    }
    expect((await rig.get(path, { range: 'bytes=300000-' })).status).toBe(416)
    expect(ranges()).toEqual(['bytes=299978-299999', 'bytes=10-19', 'bytes=299990-299999'])
    expect(await rig.blobs.stat(sha256(BYTES))).toBeUndefined()
    const whole = await rig.get(path, { 'range': 'bytes=0-', 'if-range': `"${sha256(BYTES)}"` })
    expect([whole.status, whole.body.equals(BYTES), whole.headers['cache-control']]).toEqual([206, true, 'public, max-age=31536000, immutable'])
    expect((await rig.get(path, { 'range': 'bytes=0-9', 'if-range': '"other"' })).body).toHaveLength(300_000)
  })

  test('sends its first byte before the upstream has sent the rest, also where nobody knows the size', async () => {
    for (const [bytes, more] of [[Buffer.alloc(300_000, 'a'), {}], [Buffer.alloc(300_000, 'b'), { unsized: true, keys: { size: null } }]] as const) {
      const until = Promise.withResolvers<void>()
      const path = await listed({ ...big, ...more, bytes, stall: { after: 2000, until: until.promise } })
      const answer = await rig.open(path).response
      await once(answer, 'readable')
      until.resolve()
      expect((await buffer(answer)).equals(bytes)).toBe(true)
    }
  })

  test('goes on by a range where its transfer breaks', async () => {
    const path = await listed({ ...big, breaks: [150_000] })
    expect((await rig.get(path)).body.equals(BYTES)).toBe(true)
    expect(ranges()).toEqual(['', expect.stringMatching(/^bytes=[0-9]+-$/)])
  })
})

describe('METADATA that the upstream lacks', () => {
  test('is announced to pip and uv alone, read from the wheel\'s end, and kept', async () => {
    const wheel = await wheelOf()
    const path = await listed(wheel, { filename: 'demo-1.0.tar.gz', bytes: Buffer.from('sdist') })
    for (const agent of [AGENTS.pip, AGENTS.uv, AGENTS.uvLock]) {
      expect(JSON.parse(await page(agent)).files.map((file: Record<string, unknown>) => file['core-metadata'])).toEqual([true, false])
      expect((await page(agent, 'text/html')).match(/data-core-metadata="true"/g)).toHaveLength(1)
    }
    for (const agent of [AGENTS.poetry, AGENTS.browser]) expect(await page(agent)).not.toContain('"core-metadata":true')
    const { status, body, headers } = await rig.get(`${path}.metadata`)
    expect([status, body.toString(), headers.etag]).toEqual([200, METADATA, `"${sha256(METADATA)}"`])
    expect(ranges()).toEqual([expect.stringMatching(/^bytes=[0-9]+-[0-9]+$/)])
    expect(await rig.blobs.stat(sha256(wheel.bytes))).toBeUndefined()
    rig.upstream.break(500)
    await rig.restart()
    expect((await rig.get(`${path}.metadata`)).body.toString()).toBe(METADATA)
  })

  test('is read from the whole where the upstream has no ranges', async () => {
    const path = await listed(await wheelOf(METADATA, { ranges: false }))
    expect((await rig.get(`${path}.metadata`)).body.toString()).toBe(METADATA)
    rig.upstream.break(500)
    expect((await rig.get(path)).status).toBe(200)
  })

  test('is there once the wheel is, and is the wheel\'s own although its parts were other bytes', async () => {
    const wheel = await wheelOf()
    const lying = await wheelOf('Name: lie\n')
    const path = await listed({ ...wheel, sent: lying.bytes, keys: { size: lying.bytes.length } })
    expect((await rig.get(`${path}.metadata`)).body.toString()).toBe('Name: lie\n')
    await listed(wheel)
    await rig.get(path)
    expect((await rig.get(`${path}.metadata`)).body.toString()).toBe(METADATA)
    rig.upstream.break(500)
    const other = await wheelOf()
    rig.upstream.break(undefined)
    const second = await listed(other)
    await rig.get(second)
    rig.upstream.break(500)
    expect((await rig.get(`${second}.metadata`)).body.toString()).toBe(METADATA)
  })

  test('of a wheel that has none is no file, and announced no more', async () => {
    const path = await listed({ ...big, bytes: Buffer.alloc(5000, 'no zip') })
    expect(await page(AGENTS.pip)).toContain('"core-metadata":true')
    const { status, body } = await rig.get(`${path}.metadata`)
    expect([status, body.toString()]).toEqual([404, expect.stringContaining('announces none from now on')])
    expect(await page(AGENTS.pip)).not.toContain('"core-metadata":true')
    expect((await rig.get(path)).status).toBe(200)
  })

  test('of a damaged wheel is empty for uv, which passes over such a release; one that Python may read is no file for a while', async () => {
    const path = await listed({ ...big, bytes: Buffer.alloc(5000, 'no zip') })
    for (const agent of [AGENTS.uv, AGENTS.uvLock]) {
      const { status, headers, body } = await rig.get(`${path}.metadata`, { 'user-agent': agent })
      expect([status, headers['cache-control'], body]).toEqual([200, 'no-store', Buffer.alloc(0)])
    }
    for (const agent of [AGENTS.pip, AGENTS.poetry]) expect((await rig.get(`${path}.metadata`, { 'user-agent': agent })).status).toBe(404)
    expect(await page(AGENTS.uv)).not.toContain('"core-metadata":true')

    const { bytes } = await wheelOf()
    const name = bytes.lastIndexOf('METADATA', bytes.lastIndexOf('dist-info/METADATA') + 20)
    bytes.writeUInt16LE(14, bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]), name) + 10)
    const packed = await listed({ ...big, bytes })
    const { status, body } = await rig.get(`${packed}.metadata`, { 'user-agent': AGENTS.uv })
    expect([status, body.toString()]).toEqual([404, expect.stringContaining('compressed by method 14')])
  })

  test('that cannot be had now is an error of the upstream, and announced as before', async () => {
    const path = await listed(await wheelOf())
    rig.upstream.break(503)
    expect((await rig.get(`${path}.metadata`)).status).toBe(502)
    expect(await page(AGENTS.pip)).toContain('"core-metadata":true')
    rig.upstream.break(undefined)
    expect((await rig.get(`${path}.metadata`)).status).toBe(200)
  })

  test('pages where nothing is missing are the same for all', async () => {
    await listed({ ...big, metadata: METADATA })
    const [one, other] = [await page(AGENTS.pip), await page(AGENTS.poetry)]
    expect(one).toBe(other)
  })
})

describe('provenance', () => {
  const provenance = JSON.stringify({ version: 1, attestation_bundles: [] })

  test('is at our address, and kept for when the upstream is gone', async () => {
    const path = await listed({ ...big, provenance })
    const [entry] = JSON.parse(await page(AGENTS.uv)).files
    expect(entry.provenance).toBe(`../..${path}.provenance`)
    const { status, headers, body } = await rig.get(`${path}.provenance`)
    expect([status, headers['content-type'], body.toString()]).toEqual([200, 'application/vnd.pypi.integrity.v1+json', provenance])
    rig.upstream.break(500)
    await rig.restart()
    await rig.clock.advance(3 * 24 * 60 * 60 * 1000)
    expect((await rig.get(`${path}.provenance`)).body.toString()).toBe(provenance)
  })

  test('that is none stays none; what is no JSON, or endless, is not kept', async () => {
    const path = await listed(big)
    expect(JSON.parse(await page(AGENTS.uv)).files[0].provenance).toBeNull()
    expect((await rig.get(`${path}.provenance`)).status).toBe(404)
    expect((await rig.get(`${path.replace(/[0-9a-f]{64}/, 'f'.repeat(64))}.provenance`)).status).toBe(404)
    for (const wrong of ['<html>', `"${'x'.repeat(5_000_000)}"`]) {
      const bytes = Buffer.from(wrong.slice(0, 10))
      expect((await rig.get(`${await listed({ ...big, bytes, provenance: wrong })}.provenance`)).status).toBe(502)
    }
  })
})

describe('behind an nginx that sends the bytes', () => {
  const accel = { 'x-sendfile-type': 'X-Accel-Redirect' }

  test('what is kept and large is left to it, and only to it', async () => {
    const path = await listed(big)
    expect((await rig.get(path, accel)).body).toHaveLength(300_000)
    const { status, headers, body } = await rig.get(path, accel)
    const digest = sha256(BYTES)
    expect({ status, body }).toEqual({ status: 200, body: Buffer.alloc(0) })
    expect(headers).toMatchObject({ 'x-accel-redirect': `/muslin-blobs/sha256/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest}`, 'etag': `"${digest}"` })
    expect((await rig.get(path)).body).toHaveLength(300_000)
    expect((await rig.get(path, { ...accel, 'if-none-match': `"${digest}"` })).status).toBe(304)
    expect((await rig.get(path, { ...accel, range: 'bytes=300000-' })).status).toBe(416)
    expect(await text(await rig.open(path, { ...accel, range: 'bytes=1-2' }).response)).toBe('')
  })
})
