import { expect, test } from 'vitest'
import { createSmallFiles, SMALL_BYTES } from '../../src/services/small-files.ts'

const DIGEST = 'a'.repeat(64)

function filesOf(blobs: Record<string, Buffer>, { recorded = new Map([[`${DIGEST} p-1.whl`, { project: 'p', metadata: undefined as string | undefined }]]), refused = new Set<string>() } = {}) {
  const reads: string[] = []
  const look = async (sha256: string, most: number) => {
    reads.push(sha256)
    const bytes = blobs[sha256]
    return bytes && { size: bytes.length, ...bytes.length <= most && { bytes } }
  }
  const files = createSmallFiles({ glance: { file: (sha256, filename) => recorded.get(`${sha256} ${filename}`) }, blobs: { look }, allowed: ({ project }) => !refused.has(project), memoryBytes: 2 * SMALL_BYTES })
  return { files, reads, recorded, refused }
}

test('a small file is read once, and at hand from then on', async () => {
  const { files, reads } = filesOf({ [DIGEST]: Buffer.from('wheel') })
  expect(await files.find(DIGEST, 'p-1.whl', false)).toEqual({ sha256: DIGEST, bytes: Buffer.from('wheel') })
  expect(files.find(DIGEST, 'p-1.whl', false)).toEqual({ sha256: DIGEST, bytes: Buffer.from('wheel') })
  expect(reads).toEqual([DIGEST])
})

test('what is not recorded under this name, or no longer allowed, is not given though its bytes are at hand', async () => {
  const { files, recorded, refused } = filesOf({ [DIGEST]: Buffer.from('wheel') })
  await files.find(DIGEST, 'p-1.whl', false)
  expect(files.find(DIGEST, 'q-1.whl', false)).toBeUndefined()
  refused.add('p')
  expect(files.find(DIGEST, 'p-1.whl', false)).toBeUndefined()
  refused.clear()
  recorded.clear()
  expect(files.find(DIGEST, 'p-1.whl', false)).toBeUndefined()
})

test('a larger file is looked at once, an absent one until it is there', async () => {
  const large = filesOf({ [DIGEST]: Buffer.alloc(SMALL_BYTES + 1) })
  expect(await large.files.find(DIGEST, 'p-1.whl', false)).toBeUndefined()
  expect(large.files.find(DIGEST, 'p-1.whl', false)).toBeUndefined()
  expect(large.reads).toHaveLength(1)
  const blobs: Record<string, Buffer> = {}
  const absent = filesOf(blobs)
  expect(await absent.files.find(DIGEST, 'p-1.whl', false)).toBeUndefined()
  blobs[DIGEST] = Buffer.from('wheel')
  expect(await absent.files.find(DIGEST, 'p-1.whl', false)).toMatchObject({ bytes: Buffer.from('wheel') })
})

test('metadata are found by their own digest, and nowhere where none was announced or fetched', async () => {
  const digest = 'b'.repeat(64)
  const { files, recorded } = filesOf({ [DIGEST]: Buffer.from('wheel'), [digest]: Buffer.from('Name: p') })
  for (const metadata of [undefined, '']) {
    recorded.set(`${DIGEST} p-1.whl`, { project: 'p', metadata })
    expect(files.find(DIGEST, 'p-1.whl', true)).toBeUndefined()
  }
  recorded.set(`${DIGEST} p-1.whl`, { project: 'p', metadata: digest })
  expect(await files.find(DIGEST, 'p-1.whl', true)).toEqual({ sha256: digest, bytes: Buffer.from('Name: p') })
})

test('memory is bounded: what was asked for least recently is read again', async () => {
  const digests = ['1', '2', '3'].map((digit) => digit.repeat(64))
  const recorded = new Map(digests.map((digest) => [`${digest} p-1.whl`, { project: 'p', metadata: undefined }]))
  const { files, reads } = filesOf(Object.fromEntries(digests.map((digest) => [digest, Buffer.alloc(SMALL_BYTES - 1000)])), { recorded })
  for (const digest of [...digests, digests[0]!]) await files.find(digest, 'p-1.whl', false)
  expect(reads).toEqual([...digests, digests[0]])
})
