/** What the container tests are made of, as far as it can be told without an engine. */
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from './e2e/digest.ts'
import { greatestOverlap } from './e2e/overlap.ts'
import { listens, portIs } from './e2e/ports.ts'

describe('the digest of sources', () => {
  let root: string
  const digest = () => digestOf(root, ['src', 'cells.toml'])
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'muslin-digest-'))
    await mkdir(join(root, 'src/deep'), { recursive: true })
    await writeFile(join(root, 'src/deep/a.ts'), 'one')
    await writeFile(join(root, 'cells.toml'), 'cells')
  })
  afterEach(() => rm(root, { recursive: true }))

  test('stays while nothing of them is changed, whatever lies beside them', async () => {
    const before = await digest()
    await writeFile(join(root, 'other.toml'), 'x')
    await mkdir(join(root, 'src/__pycache__'))
    await writeFile(join(root, 'src/__pycache__/a.pyc'), 'x')
    expect(await digest()).toBe(before)
  })

  test.each([
    ['src/deep/a.ts', 'two'], ['src/deep/b.ts', 'new'], ['cells.toml', 'other'],
  ])('is another one once %s is %s', async (path, text) => {
    const before = await digest()
    await writeFile(join(root, path), text)
    expect(await digest()).not.toBe(before)
  })

  test('does not take a file that is not there for none', async () => {
    await expect(digestOf(root, ['absent'])).rejects.toThrow(/absent/)
  })
})

describe('the greatest overlap', () => {
  const runs = (...spans: [number, number | null][]) => spans.map(([started_at, finished_at]) => ({ started_at, finished_at }))

  test.each([
    ['none', runs(), 0],
    ['one', runs([0, 9]), 1],
    ['one after the other', runs([0, 10], [10, 20], [20, 30]), 1],
    ['two rounds of two', runs([0, 10], [1, 11], [11, 20], [10, 21]), 2],
    ['a long one beside short ones, in any order', runs([5, 6], [0, 100], [6, 7], [50, 60]), 2],
    ['three, though each pair meets elsewhere too', runs([0, 10], [3, 20], [9, 12], [15, 30]), 3],
    ['the same span', runs([3, 4], [3, 4], [3, 4]), 3],
  ])('of %s', (_, spans, most) => expect(greatestOverlap(spans)).toBe(most))

  test('of what still runs is unknown', () => expect(() => greatestOverlap(runs([0, null]))).toThrow(/not ended/))
})

test('a port is waited for until it is open, or closed', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const before = Date.now()
  expect(await portIs(port, 'open')).toBeGreaterThanOrEqual(before)
  await expect(portIs(port, 'closed', 0)).rejects.toThrow(`port ${port} is still not closed`)
  server.close()
  await portIs(port, 'closed')
  expect(await listens(port)).toBeUndefined()
  await expect(portIs(port, 'open', 0)).rejects.toThrow('is still not open')
})
