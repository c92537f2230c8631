import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
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
    return { kind: 'list', body: Readable.from([Buffer.from(json)]), validator: etag }
  },
  async file() { throw new Error('no file is asked for') },
}

function make(parts: Partial<Parameters<typeof createProjectList>[0]> = {}): ProjectList {
  return createProjectList({ ...bench, upstream, log: silent, freshness: 60, ...parts })
}

async function read(list: ProjectList, format: PageKind = 'json'): Promise<string> {
  return text((await list.list(format, 'identity')).body)
}

async function digest(list: ProjectList, format: PageKind = 'json'): Promise<string> {
  const { sha256, body } = await list.list(format, 'identity')
  body.destroy()
  return sha256
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
    expect(await stored()).toEqual([await digest(list, 'json'), await digest(list, 'html')].toSorted())
  }
})

test('who reads an older list reads it to its end, and the same list again is kept', async () => {
  const list = make()
  const { body } = await list.list('json', 'identity')
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
  const html = await digest(list, 'html')
  await bench.blobs.remove(await digest(list))
  await bench.blobs.remove(html)
  await bench.clock.advance(61_000)
  expect(await read(list, 'html')).toContain('cffi')
  expect(await read(make())).toContain('cffi')
})

test('a list that is replaced before it is read is served in the state that was asked for, in each form', async () => {
  const list = make()
  for (const format of ['json', 'html'] as const) {
    const older = await list.list(format, 'identity')
    names.push(`newer-than-${format}`)
    await bench.clock.advance(61_000)
    expect(await read(list, format)).toContain(`newer-than-${format}`)
    const body = await text(older.body)
    expect(body).not.toContain(`newer-than-${format}`)
    expect(Buffer.byteLength(body)).toBe(older.size)
  }
})

test('a list that another process replaces while it is opened is asked for once more, and given up where that goes on', async () => {
  const other = make()
  const replacedAt = (moment: 'read' | 'stat', times: number) => {
    const replace = async () => {
      if (times-- <= 0) return
      names.push(`newer-${names.length}`)
      await bench.clock.advance(61_000)
      await digest(other)
    }
    return make({ blobs: {
      ...bench.blobs,
      async read(sha256) {
        if (moment === 'read') await replace()
        return bench.blobs.read(sha256)
      },
      async stat(sha256) {
        const found = await bench.blobs.stat(sha256)
        if (moment === 'stat') await replace()
        return found
      },
    } })
  }
  for (const moment of ['read', 'stat'] as const) {
    for (const format of ['json', 'html'] as const) {
      expect(await read(replacedAt(moment, 1), format)).toContain(names.at(-1))
    }
  }
  await expect(replacedAt('read', 10).list('json', 'identity')).rejects.toMatchObject({ code: 'internal' })
})

test.each(['gzip', 'zstd'] as const)('in %s each form is the same list, made once and replaced with it', async (coding) => {
  const list = make()
  const undo = coding === 'gzip' ? gunzipSync : zstdDecompressSync
  for (const format of ['json', 'html', 'html-v1'] as const) {
    const served = await list.list(format, coding)
    const bytes = await buffer(served.body)
    expect(bytes.length).toBe(served.size)
    expect(served).toMatchObject({ coding, sha256: createHash('sha256').update(bytes).digest('hex') })
    expect(undo(bytes).toString()).toBe(await read(list, format))
    const again = await list.list(format, coding)
    again.body.destroy()
    expect(again.sha256).toBe(served.sha256)
  }
  names = ['numpy']
  await bench.clock.advance(61_000)
  expect(undo(await buffer((await list.list('html', coding)).body)).toString()).toContain('numpy')
  expect(await stored()).toHaveLength(3)
})

test('what is no list is refused, and the older one stays', async () => {
  const answers = [JSON.stringify({ projects: [{ name: 'cffi' }] }), '<html>maintenance</html>', '{"projects":[{"name":"cffi"}', '{"meta":{"api-version":"2.0"},"projects":[]}']
  const list = make({ upstream: { ...upstream, async list() { return { kind: 'list', body: Readable.from([Buffer.from(answers.shift() ?? '')]), validator: undefined } } } })
  const first = await read(list)
  for (const left of [2, 1, 0]) {
    await bench.clock.advance(61_000)
    expect(await read(list)).toBe(first)
    expect(answers).toHaveLength(left)
  }
  expect(await stored()).toHaveLength(1)
})
