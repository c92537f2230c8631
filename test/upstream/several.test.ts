import type { IncomingMessage, RequestListener } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { pino, type Logger } from 'pino'
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

  test('its owner\'s, whoever behind it comes to know it, until the owner has it no more', async () => {
    const [first, second, third] = [await index({}), await index({ ours: ['ours-1.0.tar.gz'] }), await index({ ours: ['ours-99.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server), source(third.server)])
    const page = pageOf(await upstream.page('ours'))
    expect(await upstream.page('ours', page.validator)).toMatchObject({ kind: 'unchanged' })
    second.pages['ours'] = pageFor('ours', ['ours-1.0.tar.gz', 'ours-1.1.tar.gz'])
    const newer = pageOf(await upstream.page('ours', page.validator))
    expect(filenames(newer)).toEqual(['ours-1.0.tar.gz', 'ours-1.1.tar.gz'])
    // Nobody is asked in its place while it fails.
    second.break(503)
    await expect(upstream.page('ours', newer.validator)).rejects.toMatchObject({ code: 'upstream-refused' })
    expect(third.asked()).toEqual([])
    second.break(undefined)
    delete second.pages['ours']
    expect(filenames(pageOf(await upstream.page('ours', newer.validator)))).toEqual(['ours-99.tar.gz'])
  })

  test.each([[false], [true]])('one\'s before the owner as soon as it comes to know it, which the log tells; past every cache: %s', async (reload) => {
    const [company, all] = [await index({}), await index({ ours: ['ours-99.tar.gz'] })]
    const { log, logged } = logs()
    const upstream = make([source(company.server), source(all.server)], { log })
    const page = pageOf(await upstream.page('ours'))
    expect(logged()).toEqual([])
    company.pages['ours'] = pageFor('ours', ['ours-1.0.tar.gz'])
    all.server.requests.length = 0
    const taken = pageOf(await upstream.page('ours', page.validator, undefined, reload))
    expect(filenames(taken)).toEqual(['ours-1.0.tar.gz'])
    expect(all.asked()).toEqual([])
    expect(logged()).toMatchObject([{ level: 40, project: 'ours', upstream: `${company.server.origin}/simple/`, before: `${all.server.origin}/simple/` }])
    expect(await upstream.page('ours', taken.validator)).toMatchObject({ kind: 'unchanged' })
    expect(logged()).toHaveLength(1)
  })

  test('its owner\'s where somebody asks past every cache too', async () => {
    const [first, second] = [await index({}), await index({ ours: ['ours-1.0.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    const page = pageOf(await upstream.page('ours'))
    const again = pageOf(await upstream.page('ours', page.validator, undefined, true))
    expect(filenames(again)).toEqual(['ours-1.0.tar.gz'])
    expect(again.validator).toBe(page.validator)
    expect(second.server.requests.at(-1)?.headers).toMatchObject({ 'cache-control': 'no-cache' })
    expect(second.server.requests.at(-1)?.headers['if-none-match']).toBeUndefined()
  })

  test('the owner\'s of a kept page while one before it fails that had none, and nobody else\'s', async () => {
    const [company, middle, all, last] = [await index({}), await index({}), await index({ six: ['six-1.0.tar.gz'] }), await index({ six: ['six-99.tar.gz'] })]
    const { log, logged } = logs()
    const upstream = make([company, middle, all, last].map(({ server }) => source(server)), { log })
    const { validator } = pageOf(await upstream.page('six'))
    company.break(500)
    expect(await upstream.page('six', validator)).toMatchObject({ kind: 'unchanged' })
    expect(logged()).toMatchObject([{ level: 40, project: 'six', upstream: `${company.server.origin}/simple/` }])
    all.pages['six'] = pageFor('six', ['six-1.0.tar.gz', 'six-1.1.tar.gz'])
    // The one between them comes to know it: whether the first does is not known.
    middle.pages['six'] = pageFor('six', ['six-50.tar.gz'])
    const newer = pageOf(await upstream.page('six', validator))
    expect(filenames(newer)).toEqual(['six-1.0.tar.gz', 'six-1.1.tar.gz'])
    delete all.pages['six']
    await expect(upstream.page('six', newer.validator)).rejects.toMatchObject({ code: 'upstream-refused' })
    await expect(upstream.page('six')).rejects.toMatchObject({ code: 'upstream-refused' })
    expect(last.asked()).toEqual([])
    company.break(undefined)
    expect(filenames(pageOf(await upstream.page('six', newer.validator)))).toEqual(['six-50.tar.gz'])
  })

  test('an upstream\'s that was put before its owner in the settings', async () => {
    const [added, old] = [await index({ ours: ['ours-2.0.tar.gz'] }), await index({ ours: ['ours-1.0.tar.gz'], six: ['six-1.0.tar.gz'] })]
    const before = make([source(old.server), source((await index({})).server)])
    const after = make([source(added.server), source(old.server)])
    const page = pageOf(await before.page('ours'))
    expect(filenames(pageOf(await after.page('ours', page.validator)))).toEqual(['ours-2.0.tar.gz'])
    // It never said of this name that it has none.
    const { validator } = pageOf(await before.page('six'))
    added.break(500)
    await expect(after.page('six', validator)).rejects.toMatchObject({ code: 'upstream-refused' })
    added.break(undefined)
    const six = pageOf(await after.page('six', validator))
    added.break(500)
    expect(await after.page('six', six.validator)).toMatchObject({ kind: 'unchanged' })
  })

  test('a validator of an earlier version is no reason for anything', async () => {
    const [first, second] = [await index({}), await index({ six: ['six-1.0.tar.gz'] })]
    const upstream = make([source(first.server), source(second.server)])
    const label = `${second.server.origin}/simple/`
    for (const old of ['"of-old"', JSON.stringify({ from: [[label, '"of-old"']], candidates: [label] })]) {
      expect((await upstream.page('six', old)).kind).toBe('page')
      expect(second.server.requests.at(-1)?.headers['if-none-match']).toBeUndefined()
    }
  })
})

describe('settings that change', () => {
  test.each<[string, (server: TestServer) => UpstreamSource[]]>([
    ['one upstream', (server) => [source(server)]],
    ['a table of the same name', (server) => [{ ...source(server), name: 'company' }]],
    ['the second of two', (server) => [{ ...source(server), name: 'none', projects: ['none'] }, source(server)]],
  ])('another server is never asked by what the one before it said: %s', async (_what, sources) => {
    const year: RequestListener = (request, response) => {
      const server = request.headers.host === new URL(old.origin).host ? 2025 : 2024
      const written = new Date(Date.UTC(server, 0)).toUTCString()
      if (Date.parse(request.headers['if-modified-since'] ?? '') >= Date.parse(written)) return void response.writeHead(304).end()
      response.writeHead(200, { 'last-modified': written }).end(JSON.stringify(request.url === '/simple/' ? { meta: { 'api-version': '1.0' }, projects: [{ name: `p${server}` }] } : pageFor('six', [`six-${server}.tar.gz`])))
    }
    const [old, young] = [await startServer(year), await startServer(year)]
    closers.push(() => old.close(), () => young.close())
    const [before, after] = [make(sources(old)), make(sources(young))]
    const { validator } = pageOf(await before.page('six'))
    expect(await before.page('six', validator)).toMatchObject({ kind: 'unchanged' })
    const list = await before.list()
    if (list.kind === 'list') list.body.destroy()
    expect(await before.list(list.kind === 'list' ? list.validator : undefined)).toMatchObject({ kind: 'unchanged' })
    expect(filenames(pageOf(await after.page('six', validator)))).toEqual(['six-2024.tar.gz'])
    const newer = await after.list(list.kind === 'list' ? list.validator : undefined)
    expect(newer.kind === 'list' && (await buffer(newer.body)).toString()).toContain('p2024')
    for (const { headers } of young.requests) expect(headers).not.toHaveProperty('if-modified-since')
  })

  test('the list of one upstream comes as it is', async () => {
    const own = await index({ Six: [] })
    const got = await make([source(own.server)]).list()
    expect(got.kind === 'list' && JSON.parse((await buffer(got.body)).toString())).toEqual({ meta: { 'api-version': '1.4', '_last-serial': 1 }, projects: [{ name: 'Six', '_last-serial': 1 }] })
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
    expect(['torch-2.0.whl', 'torch-2.1.whl', 'none.whl'].map((name) => page.sourceOf?.(name))).toEqual([`${first.server.origin}/simple/`, `${owner.server.origin}/simple/`, undefined])
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
    const upstream = make([withSecret(first, 'one'), withSecret(second, 'two')], { log, allowedFileHosts: [second, third].map(({ origin }) => new URL(origin).host) })

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
    const secret = `${company.server.origin}/simple/secret-1.0.whl`
    const named: Record<string, object> = { '/simple/evil/': { url: secret }, '/simple/provenance/': { provenance: secret }, '/simple/own/': { provenance: 'own.json' } }
    const hostile = await startServer((request, response) => sendJson(request, response, {
      meta: { 'api-version': '1.0' }, name: 'evil', files: [{ filename: 'evil-1.0.whl', url: 'own-1.0.whl', hashes: { sha256: 'ab'.repeat(32) }, ...named[request.url ?? ''] }],
    }))
    closers.push(() => hostile.close())
    const upstream = make([{ ...source(company.server), url: `${company.server.origin.replace('//', '//me:secret@')}/simple/` }, source(hostile)])
    for (const project of ['evil', 'provenance']) await expect(upstream.page(project)).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('another upstream\'s credentials') })
    expect((await upstream.page('own')).kind).toBe('page')
  })

  test('a file is asked for with those of the upstream whose page named it alone', async () => {
    const server = await startServer((_request, response) => void response.end('bytes'))
    closers.push(() => server.close())
    const at = (secret: string, path: string): UpstreamSource => ({ ...source(server), name: secret, url: `${server.origin.replace('//', `//user-${secret}:pass-${secret}@`)}${path}` })
    const upstream = make([at('one', '/simple/'), at('two', '/other/'), at('three', '/team/simple/')])
    const ask = async (path: string, source?: string): Promise<void> => void await buffer((await upstream.file(server.origin + path, { source })).body)
    await ask('/files/f', `two ${server.origin}/other/`)
    await ask('/team/files/f', `two ${server.origin}/other/`)
    // Where nobody knows whose page it was, the index in whose folder it is: the innermost.
    await ask('/team/files/g')
    await ask('/files/g', 'gone from the settings')
    expect(seen(server)).toEqual(new Set(['/files/f two', '/team/files/f two', '/team/files/g three', '/files/g one']))
  })

  test('what is private to one is so for the pages and redirects of the others, whatever its path', async () => {
    const inside = await startServer((_request, response) => void response.end('a secret'))
    const own = await startServer((_request, response) => void response.writeHead(302, { location: `${inside.origin}/elsewhere` }).end())
    for (const server of [inside, own]) closers.push(() => server.close())
    const upstream = make([source(inside), source(own)])
    const [evil, company] = [own, inside].map((server) => `${server.origin}/simple/`)
    const forbidden = { code: 'upstream-forbidden' }
    await expect(upstream.file(`${inside.origin}/elsewhere`, { source: evil })).rejects.toMatchObject(forbidden)
    await expect(upstream.file(`${own.origin}/f`, { source: evil })).rejects.toMatchObject(forbidden)
    await expect(upstream.file(`${own.origin}/f`)).rejects.toMatchObject(forbidden)
    expect(inside.requests).toEqual([])
    expect((await buffer((await upstream.file(`${inside.origin}/elsewhere`, { source: company })).body)).toString()).toBe('a secret')
    const allowing = make([source(inside), source(own)], { allowedFileHosts: ['127.0.0.1'] })
    expect((await buffer((await allowing.file(`${own.origin}/f`, { source: evil })).body)).toString()).toBe('a secret')
  })

  function seen(server: TestServer): Set<string> {
    const who = ({ headers }: IncomingMessage): string => headers.authorization === undefined ? 'none' : Buffer.from(headers.authorization.replace('Basic ', ''), 'base64').toString().replace(/^user-(.*):pass-\1$/, '$1')
    return new Set(server.requests.map((request) => `${request.url} ${who(request)}`))
  }
})

function logs(): { log: Logger; logged: () => object[] } {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => { lines.push(line) } })
  return { log, logged: () => lines.map((line) => JSON.parse(line) as object) }
}

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
