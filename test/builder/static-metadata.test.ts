import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createStaticMetadata } from '../../src/builder/static-metadata.ts'
import { END, raw } from '../fixtures/make-tar.ts'

let scratch: string
beforeEach(async () => { scratch = await mkdtemp(join(tmpdir(), 'muslin-static-')) })
afterEach(() => rm(scratch, { recursive: true }))

const INFO = 'Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n'

async function metadata(filename: string, bytes: Buffer): Promise<string | undefined> {
  const path = join(scratch, 'blob')
  await writeFile(path, bytes)
  const read = createStaticMetadata({ blob: async () => createReadStream(path), scratch })
  const found = await read('demo', { sha256: 'a'.repeat(64), filename })
  expect(await readdir(scratch)).toEqual(['blob'])
  return found?.toString()
}

const sdist = (info: string) => Buffer.concat([raw({ name: 'demo-1.0/setup.py' }), raw({ name: 'demo-1.0/PKG-INFO' }, info), END])

test('is PKG-INFO where that is certain, whatever the sdist is packed by', async () => {
  expect(await metadata('demo-1.0.tar.gz', gzipSync(sdist(INFO)))).toBe(INFO)
  expect(await metadata('demo-1.0.tar', sdist(INFO))).toBe(INFO)
})

test('is unknown where it takes a build, is of another release, or the sdist is bad', async () => {
  expect(await metadata('demo-1.0.tar.gz', gzipSync(sdist(INFO.replace('2.2', '2.1'))))).toBeUndefined()
  expect(await metadata('demo-1.1.tar.gz', gzipSync(sdist(INFO)))).toBeUndefined()
  expect(await metadata('demo-1.0.tar.gz', Buffer.from('no archive'))).toBeUndefined()
})
