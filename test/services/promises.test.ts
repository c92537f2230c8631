import { afterEach, beforeEach, expect, test } from 'vitest'
import { mergePage } from '../../src/domain/merge.ts'
import type { IndexFile, ProjectPage } from '../../src/domain/page.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { promisesOn } from '../../src/services/promise-list.ts'
import { createPromises } from '../../src/services/promises.ts'
import { openSqlite } from '../../src/storage/sqlite/open.ts'
import { type Bench, TARGET, makeBench } from './bench.ts'

const target = parseTarget(TARGET)!
const SDIST = 'a'.repeat(64)
const WHEEL = `demo_lib-1.0-1-cp313-${TARGET}.whl`
const unknown = expect.objectContaining({ code: 'no-such-promise' })

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

/** A page whose files the database knows, as they are once it was asked for. */
async function put(...files: [filename: string, sha256: string][]): Promise<ProjectPage> {
  const page: ProjectPage = {
    meta: { 'api-version': '1.4' }, name: 'Demo.Lib',
    files: files.map(([filename, sha256]): IndexFile => ({ filename, url: `https://upstream.example/${filename}`, hashes: { sha256 } })),
  }
  await bench.store.pages.put(
    { project: 'demo-lib', json: Buffer.from(JSON.stringify(page)), url: 'https://upstream.example/simple/demo-lib/', validator: undefined, fetchedAt: 0 },
    files.map(([filename, sha256]) => ({ sha256, filename, project: 'demo-lib', url: `https://upstream.example/${filename}`, metadata: undefined })),
  )
  return page
}

async function listOne(image = 'image-1') {
  const page = await put(['Demo.Lib-1.0.tar.gz', SDIST])
  return promisesOn(page, 'demo-lib', await bench.store.wheels.wheels('demo-lib'), await createPromises(bench).terms('demo-lib', target, image))[0]
}

test('what is listed can be resolved, by every process over the same data', async () => {
  const entry = await listOne()
  expect(entry).toMatchObject({ filename: WHEEL, version: '1.0', id: expect.stringMatching(/^[0-9a-f]{32}$/) })
  const expected = { project: 'demo-lib', version: '1.0', target, number: 1, filename: WHEEL, sdist: { sha256: SDIST, filename: 'Demo.Lib-1.0.tar.gz' } }
  const another = openSqlite({ file: `${bench.folder}/muslin.db` })
  for (const store of [bench.store, another]) expect(await createPromises({ store, recipes: bench.recipes }).resolve(entry!.id, WHEEL)).toEqual(expected)
  another.close()
})

test('the address on the page is the one that resolves', async () => {
  const entry = await listOne()
  const page = mergePage({ page: await put(['Demo.Lib-1.0.tar.gz', SDIST]), project: 'demo-lib', pageUrl: 'https://upstream.example/simple/demo-lib/', wheels: [], promises: [entry!], root: '../../' })
  const [, id, filename] = /promise\/([^/]+)\/([^/]+)$/.exec(page.files.find((file) => file.filename.endsWith('.whl'))!.url) ?? []
  expect((await createPromises(bench).resolve(id!, decodeURIComponent(filename!))).sdist.sha256).toBe(SDIST)
})

test('the right sdist of several of one version is found', async () => {
  const entry = await listOne()
  await put(['Demo.Lib-1.0.zip', 'b'.repeat(64)], ['demo_lib-1.0.tar.gz', 'c'.repeat(64)], ['Demo.Lib-1.0.tar.gz', SDIST], ['demo_lib-1.0.post1.tar.gz', 'd'.repeat(64)])
  expect((await createPromises(bench).resolve(entry!.id, WHEEL)).sdist.sha256).toBe(SDIST)
})

test('nobody can make up a promise', async () => {
  const { id } = (await listOne())!
  const { resolve } = createPromises(bench)
  for (const other of ['f'.repeat(32), id.toUpperCase(), id.slice(1), `${id}0`, '', SDIST]) await expect(resolve(other, WHEEL)).rejects.toEqual(unknown)
  for (const filename of [
    WHEEL.replace('1.0-1-', '1.0-2-'), WHEEL.replace('1.0-1-', '1.0-'), WHEEL.replace('1.0-1-', '1.0-0-'), WHEEL.replace('demo_lib', 'other'), WHEEL.replace('-1.0-', '-2.0-'),
    WHEEL.replaceAll('cp313', 'cp312'), WHEEL.replace('musllinux_1_2_x86_64', 'any'), WHEEL.replace('.whl', '.tar.gz'), '', '../../etc/passwd',
  ]) await expect(resolve(id, filename)).rejects.toEqual(unknown)
})

test('another data folder makes other ids', async () => {
  const { id } = (await listOne())!
  const other = await makeBench()
  const page = await put(['Demo.Lib-1.0.tar.gz', SDIST])
  const [entry] = promisesOn(page, 'demo-lib', [], await createPromises(other).terms('demo-lib', target, 'image-1'))
  await other.close()
  expect(entry?.filename).toBe(WHEEL)
  expect(entry?.id).not.toBe(id)
})

test('what failed with this image is not promised, with another it is; its promise still resolves', async () => {
  const entry = await listOne()
  const job = await bench.wish({ project: 'demo-lib', sdist: { sha256: SDIST, filename: 'Demo.Lib-1.0.tar.gz' } })
  const { build } = await bench.claim()
  await bench.store.jobs.fail(build, { class: 'missing-header', key: 'ffi.h' }, undefined, bench.clock.now())
  expect(await listOne('image-1')).toBeUndefined()
  expect(await listOne('image-2')).toEqual(entry)
  await bench.store.jobs.retry(job.id, bench.clock.now())
  expect(await listOne('image-1')).toEqual(entry)
  await expect(createPromises(bench).resolve(entry!.id, WHEEL)).resolves.toMatchObject({ number: 1 })
})

test('a promise is kept by the wheel of its name, and listed no more', async () => {
  const promised = await createPromises(bench).resolve((await listOne())!.id, WHEEL)
  const { kept } = createPromises(bench)
  expect(await kept(promised)).toBeUndefined()
  const wished = await bench.wish({ project: 'demo-lib', sdist: promised.sdist })
  const job = await bench.claim()
  const wheel = {
    sha256: 'e'.repeat(64), filename: WHEEL, size: 1, project: 'demo-lib', version: '1.0', target: TARGET, sdist: SDIST, number: 1,
    metadata: 'd'.repeat(64), requiresPython: undefined, publishedAt: 0, build: job.build!,
  }
  expect(await bench.store.wheels.publish(wheel, { id: wished.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())).toBe(true)
  expect(await kept(promised)).toEqual(wheel)
  expect(await kept({ ...promised, filename: 'other-1.0.whl' })).toBeUndefined()
  expect(await kept({ ...promised, number: 2 })).toBeUndefined()
  expect(await listOne()).toBeUndefined()
})
