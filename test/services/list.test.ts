import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PageKind } from '../../src/domain/negotiate.ts'
import { createProjectList, type ProjectList } from '../../src/services/list.ts'
import type { Upstream } from '../../src/services/ports.ts'
import { type Bench, makeBench, silent } from './bench.ts'

let bench: Bench
let names: string[]
let etag: string | undefined
beforeEach(async () => {
  bench = await makeBench()
  names = ['cffi']
  etag = undefined
})
afterEach(() => bench.close())

const upstream: Upstream = {
  label: 'upstream.example',
  async page() { return { kind: 'absent' } },
  async list(held) {
    if (held !== undefined && held === etag) return { kind: 'unchanged' }
    const json = JSON.stringify({ meta: { 'api-version': '1.4' }, projects: names.map((name) => ({ name })) })
    return { kind: 'list', body: Readable.from([Buffer.from(json)]), etag }
  },
  async file() { throw new Error('no file is asked for') },
}

function make(): ProjectList {
  return createProjectList({ ...bench, upstream, log: silent, freshness: 60 })
}

async function read(list: ProjectList, format: PageKind = 'json'): Promise<string> {
  return text(await (await list.list(format)).read())
}

/** Names of the stored blobs. */
async function stored(): Promise<string[]> {
  const entries = await readdir(join(bench.folder, 'blobs/sha256'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name).toSorted()
}

test('of the lists that follow each other only the last one is stored, in each form', async () => {
  const list = make()
  for (const name of ['numpy', 'pandas', 'torch']) {
    names.push(name)
    await bench.clock.advance(61_000)
    expect(await read(list)).toContain(name)
    expect(await read(list, 'html')).toContain(name)
    expect(await stored()).toEqual([(await list.list('json')).sha256, (await list.list('html')).sha256].toSorted())
  }
})

test('who reads an older list reads it to its end, and the same list again is kept', async () => {
  const list = make()
  const body = await (await list.list('json')).read()
  await bench.clock.advance(61_000)
  await read(list)
  expect(await stored()).toHaveLength(1)
  names = ['numpy']
  await bench.clock.advance(61_000)
  await read(list)
  expect(await text(body)).toContain('cffi')
})

test('a list that another process removed is fetched anew, its etag notwithstanding', async () => {
  etag = '"1"'
  const list = make()
  const html = await list.list('html')
  await bench.blobs.remove((await list.list('json')).sha256)
  await bench.blobs.remove(html.sha256)
  await bench.clock.advance(61_000)
  expect(await read(list, 'html')).toContain('cffi')
  expect(await read(make())).toContain('cffi')
})
