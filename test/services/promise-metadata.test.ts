import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NO_RECIPE, type Recipe } from '../../src/domain/recipe.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { MuslinError } from '../../src/errors.ts'
import type { Files } from '../../src/services/files.ts'
import { createPromiseMetadata } from '../../src/services/promise-metadata.ts'
import type { Promised } from '../../src/services/promises.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { type Bench, METADATA, TARGET, makeBench } from './bench.ts'

const sdist = { sha256: 'a'.repeat(64), filename: 'demo-1.0.tar.gz' }
const promised: Promised = { project: 'demo', version: '1.0', target: parseTarget(TARGET)!, number: 1, filename: `demo-1.0-1-cp313-${TARGET}.whl`, sdist }

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

/** `wheels` is what asking for the METADATA of the release's other wheel comes to. */
function make({ wheels = async () => {}, staticMetadata, patches = [] }: { wheels?: () => Promise<void>; staticMetadata: () => Promise<Buffer | undefined>; patches?: Recipe['patches'] }) {
  const file = { sha256: '', size: 0, read: async () => ({ body: Readable.from([]), length: 0 }) }
  const files: Pick<Files, 'metadata'> = { metadata: async () => { await wheels(); return file } }
  const recipes = { forProject: async () => () => ({ recipe: { ...NO_RECIPE, patches }, digest: '', layers: [] }) }
  return createPromiseMetadata({ store: bench.store, blobs: bench.blobs, files, recipes, staticMetadata })
}

async function listWheel(): Promise<void> {
  const wheel = { sha256: 'b'.repeat(64), filename: 'demo-1.0-cp313-cp313-win_amd64.whl', project: 'demo', url: 'https://upstream.example/w.whl', metadata: sha256('other') }
  await bench.store.pages.put({ project: 'demo', json: Buffer.from('{}'), url: 'https://upstream.example/simple/demo/', validator: undefined, fetchedAt: 0 }, [wheel])
}

test('the METADATA of another wheel that cannot be had leaves it to the sdist', async () => {
  await listWheel()
  const gone = async () => { throw new MuslinError('no-such-file', 'its page names the file, but it is gone there') }
  const { known } = make({ wheels: gone, staticMetadata: async () => Buffer.from(METADATA) })
  expect(await known(promised)).toBe(sha256(METADATA))
})

test('a mistake of our own is not taken for that', async () => {
  await listWheel()
  const { known } = make({ wheels: async () => { throw new TypeError('a defect') }, staticMetadata: async () => Buffer.from(METADATA) })
  await expect(known(promised)).rejects.toThrow('a defect')
})

test('an sdist that does not tell is read once, one that could not be read is read again', async () => {
  let read = 0
  const { known } = make({ staticMetadata: async () => { if (++read === 1) throw new MuslinError('upstream-timeout', 'no answer'); return undefined } })
  await expect(known(promised)).rejects.toThrow('no answer')
  for (let hop = 0; hop < 3; hop += 1) expect(await known(promised)).toBeUndefined()
  expect(read).toBe(2)
})

test('an sdist that is patched does not tell what its wheel will say', async () => {
  const { known } = make({ staticMetadata: async () => Buffer.from(METADATA), patches: [{ name: 'a.patch', text: '' }] })
  expect(await known(promised)).toBeUndefined()
})
