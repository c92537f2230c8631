/** What the container tests are made of, as far as it can be told without an engine. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from './e2e/digest.ts'

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
