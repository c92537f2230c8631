import type { IncomingMessage, RequestListener } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import type { Upstream, UpstreamPage } from '../../src/services/ports.ts'
import { createUpstreams, sourceText, type UpstreamSource } from '../../src/upstream/upstreams.ts'
import { upstreamContract } from '../contracts/upstream.ts'
import { indexListener, sendJson, startServer, type TestServer } from './index-server.ts'

const clock = { now: () => 0, sleep: async () => undefined }
const closers: (() => Promise<void>)[] = []
afterEach(async () => { for (const close of closers.splice(0)) await close() })

describe('the contract', () => {
  upstreamContract(async (data) => {
    const other = await startServer(indexListener({ pages: {}, list: { meta: { 'api-version': '1.0' }, projects: [] }, files: {} }))
    const server = await startServer(indexListener(data))
    const upstream = make([source(other), { ...source(server), url: `${server.origin.replace('//', '//me:secret@')}/simple/` }])
    return { upstream, fileUrl: (filename) => `${server.origin}/files/${filename}`, close: async () => { await upstream.close(); await other.close(); await server.close() } }
    // The meta of one of them would say too much for both.
  }, { listed: (list) => ({ ...list, meta: { 'api-version': '1.0' } }) })
})

describe('whose a name is', () => {
  test('the first that knows it, and nobody behind it is asked', async () => {
    const [first, second] = [await index({ six: ['six-1.0.tar.gz'] }), await index({ six: ['six-9.9.tar.gz'], numpy: ['numpy-2.0.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    expect(await filesOf(upstream, 'six')).toEqual(['six-1.0.tar.gz'])
    expect(second.asked()).toEqual([])
    expect(await filesOf(upstream, 'numpy')).toEqual(['numpy-2.0.tar.gz'])
    expect(await upstream.page('absent')).toEqual({ kind: 'absent' })
  })

  test.each([[500], [401], [403], [429]])('no later one, where an earlier one answers %i', async (status) => {
    const [first, second] = [await index({}), await index({ six: ['six-9.9.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    first.break(status)
    await expect(upstream.page('six')).rejects.toMatchObject({ code: 'upstream-refused' })
    expect(second.asked()).toEqual([])
    // The counter-proof: once it says itself that it has none, the next may answer.
    first.break(undefined)
    expect(await filesOf(upstream, 'six')).toEqual(['six-9.9.tar.gz'])
  })

  test('no later one, where an earlier one is gone', async () => {
    const [first, second] = [await index({}), await index({ six: ['six-9.9.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    await first.server.close()
    await expect(upstream.page('six')).rejects.toMatchObject({ code: 'upstream-unreachable' })
    expect(second.asked()).toEqual([])
  })

  test('its owner\'s for ever, whoever before it comes to know it, until the owner has it no more', async () => {
    const [first, second] = [await index({}), await index({ ours: ['ours-1.0.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    const page = pageOf(await upstream.page('ours'))
    first.pages['ours'] = pageFor('ours', ['ours-99.tar.gz'])
    expect(await upstream.page('ours', page.validator)).toMatchObject({ kind: 'unchanged' })
    second.pages['ours'] = pageFor('ours', ['ours-1.0.tar.gz', 'ours-1.1.tar.gz'])
    const newer = pageOf(await upstream.page('ours', page.validator))
    expect(filenames(newer)).toEqual(['ours-1.0.tar.gz', 'ours-1.1.tar.gz'])
    // Nobody is asked in its place while it fails.
    second.break(503)
    await expect(upstream.page('ours', newer.validator)).rejects.toMatchObject({ code: 'upstream-refused' })
    second.break(undefined)
    delete second.pages['ours']
    expect(filenames(pageOf(await upstream.page('ours', newer.validator)))).toEqual(['ours-99.tar.gz'])
  })

  test('its owner\'s where somebody asks past every cache too', async () => {
    const [first, second] = [await index({}), await index({ ours: ['ours-1.0.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    const page = pageOf(await upstream.page('ours'))
    first.pages['ours'] = pageFor('ours', ['ours-99.tar.gz'])
    const again = pageOf(await upstream.page('ours', page.validator, undefined, true))
    expect(filenames(again)).toEqual(['ours-1.0.tar.gz'])
    expect(again.validator).toBe(page.validator)
    expect(second.server.requests.at(-1)?.headers).toMatchObject({ 'cache-control': 'no-cache' })
    expect(second.server.requests.at(-1)?.headers['if-none-match']).toBeUndefined()
  })

  test('an upstream\'s that was put before its owner in the settings', async () => {
    const [added, old] = [await index({ ours: ['ours-2.0.tar.gz'] }), await index({ ours: ['ours-1.0.tar.gz'], six: ['six-1.0.tar.gz'] })]
    const before = make([source(old.server), source((await index({})).server)])
    const after = make([source(added.server), source(old.server)])
    const page = pageOf(await before.page('ours'))
    expect(filenames(pageOf(await after.page('ours', page.validator)))).toEqual(['ours-2.0.tar.gz'])
    // A name that the new one does not have is asked of it once.
    const six = pageOf(await after.page('six', pageOf(await before.page('six')).validator))
    added.server.requests.length = 0
    expect(await after.page('six', six.validator)).toMatchObject({ kind: 'unchanged' })
    expect(added.asked()).toEqual([])
  })

  test('a validator of times with one upstream is no reason for anything', async () => {
    const [first, second] = [await index({}), await index({ six: ['six-1.0.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    expect((await upstream.page('six', '"of-old"')).kind).toBe('page')
    expect(second.server.requests[0]?.headers['if-none-match']).toBeUndefined()
  })
})

describe('names of one upstream', () => {
  test('only those of its patterns are asked there', async () => {
    const [company, all] = [await index({ 'company-db': ['company_db-1.0.tar.gz'] }), await index({ six: ['six-1.0.tar.gz'], 'company-x': ['company_x-1.0.tar.gz'] })]
    const upstream = make([{ ...source(company.server), projects: ['Company_*', 'single'] }, source(all.server)])
    expect(await filesOf(upstream, 'company-db')).toEqual(['company_db-1.0.tar.gz'])
    expect(await filesOf(upstream, 'six')).toEqual(['six-1.0.tar.gz'])
    expect(await filesOf(upstream, 'company-x')).toEqual(['company_x-1.0.tar.gz'])
    expect(company.asked()).toEqual(['/simple/company-db/', '/simple/company-x/'])
  })

  test('those of an exclusive one are asked nowhere else', async () => {
    const [company, all] = [await index({}), await index({ 'company-x': ['company_x-99.tar.gz'] })]
    // Wherever it stands.
    const upstream = make([source(all.server), { ...source(company.server), projects: ['company-*'], exclusive: true }])
    expect(await upstream.page('company-x')).toEqual({ kind: 'absent' })
    expect(all.asked()).toEqual([])
  })

  test('one upstream alone has its patterns too', async () => {
    const company = await index({ six: ['six-1.0.tar.gz'] })
    expect(await make([{ ...source(company.server), projects: ['company-*'] }]).page('six')).toEqual({ kind: 'absent' })
    expect(company.asked()).toEqual([])
  })
})

describe('merging', () => {
  test.each([['before', 0], ['behind', 1]])('by a pattern alone: the one that merges stands %s the owner', async (_where, at) => {
    const [extra, owner] = [await index({ torch: ['torch-2.0+cpu.whl', 'torch-2.0.whl'], six: ['six-9.whl'] }), await index({ torch: ['torch-2.0.whl', 'torch-2.1.whl'], six: ['six-1.whl'] })]
    const merging = { ...source(extra.server), merge: ['torch*'] }
    const upstream = make(at === 0 ? [merging, source(owner.server)] : [source(owner.server), merging])
    const page = pageOf(await upstream.page('torch'))
    const files = (JSON.parse(page.json.toString()) as { files: { filename: string; url: string }[] }).files
    expect(files.map(({ filename }) => filename).toSorted()).toEqual(['torch-2.0+cpu.whl', 'torch-2.0.whl', 'torch-2.1.whl'])
    const first = at === 0 ? extra : owner
    expect(files.find(({ filename }) => filename === 'torch-2.0.whl')?.url).toBe(`${first.server.origin}/files/torch-2.0.whl`)
    expect(await upstream.page('torch', page.validator)).toMatchObject({ kind: 'unchanged' })
    // The counter-proof: without a pattern there is one owner.
    expect(await filesOf(upstream, 'six')).toHaveLength(1)
  })

  test('one that changed brings the other along, whole', async () => {
    const [extra, owner] = [await index({ torch: ['torch-2.0+cpu.whl'] }), await index({ torch: ['torch-2.0.whl'] })]
    const upstream = make([{ ...source(extra.server), merge: ['torch'] }, source(owner.server)])
    const page = pageOf(await upstream.page('torch'))
    owner.pages['torch'] = pageFor('torch', ['torch-2.0.whl', 'torch-2.1.whl'])
    expect(filenames(pageOf(await upstream.page('torch', page.validator)))).toEqual(['torch-2.0+cpu.whl', 'torch-2.0.whl', 'torch-2.1.whl'])
    delete extra.pages['torch']
    expect(filenames(pageOf(await upstream.page('torch', page.validator)))).toEqual(['torch-2.0.whl', 'torch-2.1.whl'])
    extra.break(500)
    await expect(upstream.page('torch')).rejects.toMatchObject({ code: 'upstream-refused' })
  })
})

describe('the list', () => {
  test('has each name once, of those that are asked there', async () => {
    const [company, all] = [await index({ 'company-db': [], six: [] }), await index({ Six: [], numpy: [], 'company-db': [] })]
    const upstream = make([{ ...source(company.server), projects: ['company-*'] }, source(all.server)])
    const got = await upstream.list()
    if (got.kind !== 'list') throw new Error('there is no list')
    const list = JSON.parse((await buffer(got.body)).toString()) as { projects: { name: string }[] }
    expect(list.projects.map(({ name }) => name)).toEqual(['company-db', 'Six', 'numpy'])
    expect(await upstream.list(got.validator)).toMatchObject({ kind: 'unchanged' })
    delete all.pages['numpy']
    expect((await upstream.list(got.validator)).kind).toBe('list')
  })

  test('is had where one has none, and not where one is gone', async () => {
    const [company, all] = [await index({}), await index({ six: [] })]
    const upstream = make([source(company.server), source(all.server)])
    company.break(405)
    const got = await upstream.list()
    expect(got.kind === 'list' && JSON.parse((await buffer(got.body)).toString())).toMatchObject({ projects: [{ name: 'six' }] })
    await company.server.close()
    await expect(upstream.list()).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })
})

describe('credentials of two upstreams and a third host', () => {
  test('each sees its own, and the third none, on pages, redirects and files', async () => {
    const third = await startServer((_request, response) => void response.end('bytes of the third'))
    const second = await startServer((request, response) => request.url?.startsWith('/team/files/') ? void response.end('bytes') : sendJson(request, response, pageFor('b', [])))
    const first = await startServer((request, response) => {
      if (request.url === '/team/simple/a/') return sendJson(request, response, { meta: { 'api-version': '1.0' }, name: 'a', files: [{ filename: 'a-1.0.whl', url: `${third.origin}/a-1.0.whl`, hashes: {} }] })
      if (request.url === '/team/simple/b/') return void response.writeHead(404).end()
      if (request.url === '/team/files/to-second') return void response.writeHead(302, { location: `${second.origin}/team/files/x` }).end()
      if (request.url === '/team/files/to-third') return void response.writeHead(302, { location: `${third.origin}/x` }).end()
      response.end('bytes')
    })
    for (const server of [first, second, third]) closers.push(() => server.close())
    const withSecret = (server: TestServer, secret: string): UpstreamSource => ({ ...source(server), url: `${server.origin.replace('//', `//user-${secret}:pass-${secret}@`)}/team/simple/` })
    const logged: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => { logged.push(line) } })
    const upstream = make([withSecret(first, 'one'), withSecret(second, 'two')], { log, allowedFileHosts: [new URL(third.origin).host] })

    await upstream.page('a')
    await upstream.page('b')
    for (const url of [`${first.origin}/team/files/f`, `${first.origin}/other/f`, `${second.origin}/team/files/f`, `${second.origin}/other/f`, `${third.origin}/f`, `${first.origin}/team/files/to-second`, `${first.origin}/team/files/to-third`, `${first.origin}/team/..%2fother/f`]) {
      await upstream.file(url).then(({ body }) => buffer(body))
    }
    expect(seen(first)).toEqual(new Set(['/team/simple/a/ one', '/team/simple/b/ one', '/team/files/f one', '/other/f none', '/team/files/to-second one', '/team/files/to-third one', '/team/..%2fother/f none']))
    expect(seen(second)).toEqual(new Set(['/team/simple/b/ two', '/team/files/f two', '/other/f none', '/team/files/x none']))
    expect(seen(third)).toEqual(new Set(['/f none', '/x none']))
    expect(logged.join('')).toContain('upstream answered')
    const basic = ['one', 'two'].map((secret) => Buffer.from(`user-${secret}:pass-${secret}`).toString('base64'))
    for (const secret of ['pass-one', 'pass-two', ...basic]) expect(logged.join('') + upstream.label + sourceText(withSecret(first, 'one'))).not.toContain(secret)
  })

  test('no page has files fetched with those of another host\'s upstream', async () => {
    const company = await index({})
    const page = (url: string) => ({ meta: { 'api-version': '1.0' }, name: 'evil', files: [{ filename: 'evil-1.0.whl', url, hashes: { sha256: 'ab'.repeat(32) } }] })
    const hostile = await startServer((request, response) => sendJson(request, response, page(request.url === '/simple/evil/' ? `${company.server.origin}/simple/secret-1.0.whl` : 'own-1.0.whl')))
    closers.push(() => hostile.close())
    const upstream = make([{ ...source(company.server), url: `${company.server.origin.replace('//', '//me:secret@')}/simple/` }, source(hostile)])
    await expect(upstream.page('evil')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('another upstream\'s credentials') })
    expect((await upstream.page('own')).kind).toBe('page')
  })

  function seen(server: TestServer): Set<string> {
    const who = ({ headers }: IncomingMessage): string => headers.authorization === undefined ? 'none' : Buffer.from(headers.authorization.replace('Basic ', ''), 'base64').toString().replace(/^user-(.*):pass-\1$/, '$1')
    return new Set(server.requests.map((request) => `${request.url} ${who(request)}`))
  }
})

interface Index {
  server: TestServer
  pages: Record<string, object>
  break(status: number | undefined): void
  asked(): (string | undefined)[]
}

/** An index of these projects and files. */
async function index(projects: Record<string, string[]>): Promise<Index> {
  const pages = Object.fromEntries(Object.entries(projects).map(([name, files]) => [name, pageFor(name, files)]))
  let broken: number | undefined
  const listener: RequestListener = (request, response) => {
    if (broken !== undefined) return void response.writeHead(broken).end()
    const list = { meta: { 'api-version': '1.4', '_last-serial': 1 }, projects: Object.keys(pages).map((name) => ({ name, '_last-serial': 1 })) }
    indexListener({ pages, list, files: {} })(request, response)
  }
  const server = await startServer(listener)
  closers.push(() => server.close())
  return { server, pages, break: (status) => { broken = status }, asked: () => server.requests.map(({ url }) => url) }
}

function pageFor(name: string, files: string[]): object {
  return { meta: { 'api-version': '1.1' }, name, versions: files.map((file) => file.split('-')[1] ?? ''), files: files.map((filename) => ({ filename, url: `/files/${filename}`, hashes: { sha256: 'ab'.repeat(32) }, size: 1 })) }
}

function source(server: TestServer): UpstreamSource {
  return { name: server.origin, url: `${server.origin}/simple/`, from: 'a test', setting: 'upstream', ca: undefined, proxies: undefined, projects: [], exclusive: false, merge: [] }
}

function make(sources: UpstreamSource[], more: Partial<Parameters<typeof createUpstreams>[0]> = {}): ReturnType<typeof createUpstreams> {
  const upstream = createUpstreams({ sources, instance: 'instance-1', log: pino({ level: 'silent' }), clock, ...more })
  closers.push(() => upstream.close())
  return upstream
}

function pageOf(answer: UpstreamPage): Extract<UpstreamPage, { kind: 'page' }> {
  if (answer.kind !== 'page') throw new Error(`the page is ${answer.kind}`)
  return answer
}

function filenames(page: { json: Buffer }): string[] {
  return (JSON.parse(page.json.toString()) as { files: { filename: string }[] }).files.map(({ filename }) => filename)
}

async function filesOf(upstream: Upstream, project: string): Promise<string[]> {
  return filenames(pageOf(await upstream.page(project)))
}
