import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFiles, type Files } from '../../src/services/files.ts'
import type { Upstream } from '../../src/services/ports.ts'
import { createUpstreamPages, type UpstreamPages } from '../../src/services/upstream-pages.ts'
import { createUpstreams } from '../../src/upstream/upstreams.ts'
import { sha256, type SyntheticFile, type SyntheticUpstream, syntheticUpstream } from '../synthetic-upstream.ts'
import { type Bench, makeBench, silent } from './bench.ts'

let bench: Bench
let index: SyntheticUpstream
let upstream: ReturnType<typeof createUpstreams>
let pages: UpstreamPages
let files: Files
let asked: [string, string | undefined][]
beforeEach(async () => {
  bench = await makeBench()
  index = await syntheticUpstream()
  asked = []
  // Two in the same folder of one server, so that the URL alone does not tell them apart.
  upstream = createUpstreams({ sources: [sourceOf('first', '/other/'), sourceOf('second', '/simple/')], instance: 'this-one', log: silent, clock: bench.clock })
  const watched: Upstream = { ...upstream, file: (url, question) => {
    asked.push([new URL(url).pathname.replace(/.*\//, ''), question?.source])
    return upstream.file(url, question)
  } }
  pages = createUpstreamPages({ store: bench.store, upstream, clock: bench.clock, log: silent, freshness: 0 })
  files = createFiles({ ...bench, upstream: watched, log: silent })
})
afterEach(async () => {
  await files.close()
  await upstream.close()
  await index.close()
  await bench.close()
})

test('whatever is fetched of a file is asked of the upstream whose page named it, with its credentials', async () => {
  const listed: SyntheticFile[] = ['whole.tar.gz', 'part.tar.gz', 'told-1.0-py3-none-any.whl', 'made-1.0-py3-none-any.whl'].map((filename) => ({
    filename, bytes: Buffer.from(filename.repeat(100)), ranges: true, keys: { size: undefined }, provenance: '{}',
    ...filename.startsWith('told') && { metadata: 'Metadata-Version: 2.1' },
  }))
  index.project('p', listed)
  await pages.refresh('p')
  const [whole = '', part = '', told = '', made = ''] = listed.map(({ bytes }) => sha256(bytes))
  await buffer(await files.blob(whole, 'whole.tar.gz'))
  await buffer((await (await files.open(part, 'part.tar.gz')).read({ start: 2, end: 5 })).body)
  await files.metadata(told, 'told-1.0-py3-none-any.whl')
  // It is no zip, which both its end and the whole are asked for to find out.
  await expect(files.metadata(made, 'made-1.0-py3-none-any.whl')).rejects.toMatchObject({ code: 'no-such-file' })
  await files.provenance(whole, 'whole.tar.gz')
  const second = `second ${index.url}`
  expect([...new Set(asked.map(([name]) => name))].toSorted()).toEqual(['made-1.0-py3-none-any.whl', 'part.tar.gz', 'told-1.0-py3-none-any.whl.metadata', 'whole.tar.gz', 'whole.tar.gz.provenance'])
  expect(asked).toEqual(asked.map(([name]) => [name, second]))
  expect((await bench.store.pages.file(whole, 'whole.tar.gz'))?.source).toBe(second)
  const authorization = `Basic ${Buffer.from('second:secret').toString('base64')}`
  const seen = index.requests.flatMap((line, at) => line.includes('/packages/') ? [index.headers[at]?.authorization] : [])
  expect(seen).toEqual(asked.map(() => authorization))
})

test('what one upstream answers, or does not, is nothing to a page of another that names the same URL', async () => {
  const bytes = Buffer.alloc(4000, 'x')
  index.project('p', [{ filename: 'b.tar.gz', bytes, ranges: true }])
  const sha = sha256(bytes)
  const url = new URL(`/packages/${sha.slice(0, 8)}/b.tar.gz`, index.url).href
  const row = (filename: string, source: string) => ({ sha256: sha, filename, project: filename, url, source, metadata: undefined })
  for (const file of [row('a.tar.gz', 'first'), row('b.tar.gz', 'second')]) {
    await bench.store.pages.put({ project: file.project, json: Buffer.from('{}'), url: index.url, validator: undefined, fetchedAt: 0 }, [file])
  }
  const file: Upstream['file'] = async (at, { source, ...question } = {}) => {
    if (source === 'second') return upstream.file(at, question)
    if (question.to === 0) return { ...await upstream.file(at, question), size: 7 }
    return new Promise((_resolve, reject) => question.signal?.addEventListener('abort', () => reject(question.signal?.reason as Error)))
  }
  await files.close()
  files = createFiles({ ...bench, upstream: { ...upstream, file }, log: silent })
  const [a, b] = [await files.open(sha, 'a.tar.gz'), await files.open(sha, 'b.tar.gz')]
  expect([await a.measure?.(), await b.measure?.()]).toEqual([7, 4000])
  const waiting = expect(files.blob(sha, 'a.tar.gz')).rejects.toMatchObject({ code: 'shutting-down' })
  expect((await buffer(await files.blob(sha, 'b.tar.gz'))).equals(bytes)).toBe(true)
  await files.close()
  await waiting
})

function sourceOf(name: string, path: string) {
  const url = new URL(path, index.url)
  url.username = name
  url.password = 'secret'
  return { name, url: url.href, from: 'a test', setting: 'upstream', ca: undefined, proxies: undefined, projects: [], exclusive: false, merge: [] }
}
