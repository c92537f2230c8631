import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MuslinError } from '../../src/errors.ts'
import type { Upstream } from '../../src/services/ports.ts'

/** A small index that the factory puts behind the adapter. */
export interface IndexData {
  /** Project pages by normalised name; file URLs are as `fileUrl` gives them. */
  pages: Record<string, object>
  list: object
  files: Record<string, Buffer>
}

export interface UpstreamUnderTest {
  upstream: Upstream
  /** The absolute URL of a file of the data. */
  fileUrl(filename: string): string
  close(): Promise<void>
}

/** What every upstream must do. `serve` puts the data behind a fresh adapter; credentials, if it takes any, are `me:secret`, `listed` is what it makes of the list. */
export function upstreamContract(serve: (data: IndexData) => Promise<UpstreamUnderTest>, { listed = (list: object) => list } = {}): void {
  const sdist = Buffer.from('sdist bytes '.repeat(40_000))
  const digest = createHash('sha256').update(sdist).digest('hex')
  const page = {
    meta: { 'api-version': '1.4', _extra: { kept: true } }, name: 'pyyaml', versions: ['6.0'], 'project-status': { status: 'active' },
    files: [{ filename: 'PyYAML-6.0.tar.gz', url: 'PyYAML-6.0.tar.gz', hashes: { sha256: digest }, 'requires-python': '>=3.6', 'unknown-key': [1] }],
  }
  const list = { meta: { 'api-version': '1.4' }, projects: [{ name: 'PyYAML' }, { name: 'cffi' }] }
  let given: UpstreamUnderTest
  beforeEach(async () => { given = await serve({ pages: { pyyaml: page }, list, files: { 'PyYAML-6.0.tar.gz': sdist } }) })
  afterEach(() => given.close())

  test('a page comes through whole, with the address it came from', async () => {
    const got = await given.upstream.page('pyyaml')
    if (got.kind !== 'page') throw new Error(`the page is ${got.kind}`)
    expect(JSON.parse(got.json.toString())).toEqual(page)
    expect(new URL(got.url).pathname).toMatch(/\/pyyaml\/$/)
  })

  test('a page with a validator is unchanged while it is', async () => {
    const got = await given.upstream.page('pyyaml')
    if (got.kind !== 'page' || got.validator === undefined) throw new Error('the page has no validator')
    expect(await given.upstream.page('pyyaml', got.validator)).toMatchObject({ kind: 'unchanged' })
    expect((await given.upstream.page('pyyaml', '"another"')).kind).toBe('page')
  })

  test('page and list come for questions of other servers too', async () => {
    expect((await given.upstream.page('pyyaml', undefined, 'one, two')).kind).toBe('page')
    const got = await given.upstream.list(undefined, 'one, two')
    expect(got.kind).toBe('list')
    if (got.kind === 'list') got.body.destroy()
  })

  test('a project that does not exist is absent', async () => {
    expect(await given.upstream.page('no-such-project')).toEqual({ kind: 'absent' })
  })

  test('the list of projects is streamed, and unchanged while it is', async () => {
    const got = await given.upstream.list()
    if (got.kind !== 'list') throw new Error('there is no list')
    expect(JSON.parse((await buffer(got.body)).toString())).toEqual(listed(list))
    expect(await given.upstream.list(got.validator)).toMatchObject({ kind: 'unchanged' })
  })

  test('a file comes byte by byte, with its size', async () => {
    const { body, size } = await given.upstream.file(given.fileUrl('PyYAML-6.0.tar.gz'))
    expect(createHash('sha256').update(await buffer(body)).digest('hex')).toBe(digest)
    expect(size).toBe(sdist.length)
  })

  test('a part of a file, while the file is the same; else the whole', async () => {
    const url = given.fileUrl('PyYAML-6.0.tar.gz')
    const first = await given.upstream.file(url)
    first.body.destroy()
    expect([first.partial, first.from, first.validator]).toEqual([false, 0, expect.stringMatching(/^"/)])
    for (const [question, from, to] of [[{ from: 10, to: 19 }, 10, 19], [{ from: sdist.length - 5 }, sdist.length - 5, sdist.length - 1], [{ to: 0 }, 0, 0], [{ from: 0, to: 1e9, validator: first.validator }, 0, sdist.length - 1]] as const) {
      const { body, partial, from: at, size } = await given.upstream.file(url, question)
      expect({ partial, at, size }).toEqual({ partial: true, at: from, size: sdist.length })
      expect(sdist.subarray(from, to + 1).equals(await buffer(body))).toBe(true)
    }
    const other = await given.upstream.file(url, { from: 10, to: 19, validator: '"another"' })
    expect([other.partial, other.from, (await buffer(other.body)).equals(sdist)]).toEqual([false, 0, true])
    await expect(given.upstream.file(url, { from: sdist.length })).rejects.toMatchObject({ code: 'upstream-bad-answer' })
  })

  test('a file that is gone is an error for people', async () => {
    await expect(given.upstream.file(given.fileUrl('absent.tar.gz'))).rejects.toBeInstanceOf(MuslinError)
  })

  test('an aborted transfer ends with the signal\'s reason', async () => {
    const reason = new Error('nobody waits any more')
    await expect(given.upstream.file(given.fileUrl('PyYAML-6.0.tar.gz'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const { body } = await given.upstream.file(given.fileUrl('PyYAML-6.0.tar.gz'), { signal: controller.signal })
    controller.abort(reason)
    await expect(drain(body)).rejects.toBe(reason)
  })

  test('a body may be left unread', async () => {
    const { body } = await given.upstream.file(given.fileUrl('PyYAML-6.0.tar.gz'))
    body.destroy()
    expect((await given.upstream.page('pyyaml')).kind).toBe('page')
  })

  test('the label holds no credentials', () => {
    expect(given.upstream.label).toMatch(/^https?:\/\/[^@]+$/)
    expect(given.upstream.label).not.toContain('secret')
  })
}

async function drain(body: Readable): Promise<void> {
  for await (const chunk of body) void chunk
}
