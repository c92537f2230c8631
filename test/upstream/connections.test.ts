import { createServer, request as sendRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type LookupFunction, type Socket } from 'node:net'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { environmentProxies } from '../../src/config/proxies.ts'
import { guardedConnector, isPublic, refuseLocalHost } from '../../src/upstream/guard.ts'
import { createUpstreams, type UpstreamSource } from '../../src/upstream/upstreams.ts'
import { CERTIFICATES } from '../fixtures/certificates.ts'
import { sendJson, startServer, type TestServer } from './index-server.ts'

const clock = { now: () => 0, sleep: async () => undefined }
const PAGE = { meta: { 'api-version': '1.0' }, name: 'six', files: [] }
const closers: (() => Promise<void>)[] = []
afterEach(async () => { for (const close of closers.splice(0)) await close() })

describe('addresses of the internet', () => {
  test.each([
    '127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '100.100.100.200', '0.0.0.0', '224.0.0.1', '239.255.255.255',
    '255.255.255.255', '192.0.0.192', '198.18.0.1', '168.63.129.16', '::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1',
    '::ffff:169.254.169.254', '64:ff9b::7f00:1', '64:ff9b::10.0.0.1', '64:ff9b:1::1', '2001:db8::1', '2002:7f00:1::', '2001:0:1::1', '::127.0.0.1', 'no address', '',
  ])('%s is none', (address) => { expect(isPublic(address)).toBe(false) })

  test.each(['1.1.1.1', '151.101.0.223', '172.15.0.1', '172.32.0.1', '100.128.0.1', '168.63.129.17', '2606:4700::1111', '2a04:4e42::223', '::ffff:1.1.1.1', '64:ff9b::101:101'])('%s is one', (address) => {
    expect(isPublic(address)).toBe(true)
  })

  test.each(['http://2130706433/', 'http://0x7f.1/', 'http://0177.0.0.1/', 'http://[::ffff:127.0.0.1]/', 'http://[::1]:80/', 'http://LOCALHOST./', 'http://a.localhost/', 'http://169.254.169.254/latest/meta-data/'])('%s is refused as it is written', (url) => {
    expect(() => refuseLocalHost(new URL(url))).toThrow(expect.objectContaining({ code: 'upstream-forbidden' }))
  })
})

describe('where pages and redirects lead', () => {
  // Each name is at what stands before it.
  const lookup: LookupFunction = (hostname, options, done) => {
    const addresses = hostname.split('.')[0]!.split('_').map((address) => ({ address: address.replaceAll('-', address.includes('--') ? ':' : '.'), family: address.includes('--') ? 6 : 4 }))
    if (options.all) done(null, addresses)
    else done(null, addresses[0]!.address, addresses[0]!.family)
  }

  test('a private address is refused where it is connected to, by redirects and files alike, by address and by name', async () => {
    const inside = await serve((_request, response) => void response.end('a secret'))
    const { port } = new URL(inside.origin)
    for (const host of [`127.0.0.1:${port}`, `127-0-0-1.example:${port}`, `1-1-1-1_127-0-0-1.example:${port}`, `--1.example:${port}`, `169-254-169-254.example`]) {
      const own = await serve((_request, response) => void response.writeHead(302, { location: `http://${host}/x` }).end())
      const upstream = make([source(own)], { lookup })
      const refused = { code: 'upstream-forbidden', detail: expect.stringContaining('allowedFileHosts') }
      await expect(upstream.page('six')).rejects.toMatchObject(refused)
      await expect(upstream.file(`${own.origin}/f`)).rejects.toMatchObject(refused)
      await expect(upstream.file(`http://${host}/f`)).rejects.toMatchObject(refused)
    }
    expect(inside.requests).toEqual([])
  })

  test('one that the settings name is not', async () => {
    const inside = await serve((_request, response) => void response.end('a file'))
    const { port } = new URL(inside.origin)
    const own = await serve((_request, response) => void response.writeHead(302, { location: `http://localhost:${port}/x` }).end())
    for (const allowedFileHosts of [['localhost'], [`localhost:${port}`], ['LOCALHOST']]) {
      expect((await buffer((await make([source(own)], { allowedFileHosts }).file(`${own.origin}/f`)).body)).toString()).toBe('a file')
    }
    const upstream = make([source(own)], { allowedFileHosts: ['127.0.0.1'] })
    expect((await buffer((await upstream.file(`${inside.origin}/f`)).body)).toString()).toBe('a file')
    // The port counts where it is named.
    await expect(make([source(own)], { allowedFileHosts: ['127.0.0.1:1'] }).file(`${inside.origin}/f`)).rejects.toMatchObject({ code: 'upstream-forbidden' })
  })

  test('an address, which nobody looks up, is refused by the connection itself too', async () => {
    const connector = guardedConnector({ timeout: 1000 }, lookup)
    const failed = new Promise((resolve) => connector({ hostname: '[::1]', protocol: 'http:', port: '9' }, (...[error]) => resolve(error)))
    expect(await failed).toMatchObject({ code: 'upstream-forbidden' })
  })

  test('a name is looked up once, to be judged and to be used', async () => {
    const own = await serve((_request, response) => void response.end())
    let asked = 0
    const counting: LookupFunction = (...given) => {
      asked += 1
      lookup(...given)
    }
    await expect(make([source(own)], { lookup: counting }).file('http://127-0-0-1.example/f')).rejects.toMatchObject({ code: 'upstream-forbidden' })
    expect(asked).toBe(1)
  })
})

describe('certificates', () => {
  test('each upstream has its own CAs', async () => {
    const [a, b] = [await serveTls('a'), await serveTls('b')]
    const page = (ca: string[]) => make([{ ...source({ origin: a }), ca }]).page('six')
    expect((await page([CERTIFICATES.a.cert])).kind).toBe('page')
    await expect(page([CERTIFICATES.b.cert])).rejects.toMatchObject({ code: 'upstream-unreachable', detail: expect.stringContaining('upstreamCa') })
    // Both in one: a file of each host is had with its upstream's CAs.
    const both = make([{ ...source({ origin: a }), ca: [CERTIFICATES.a.cert] }, { ...source({ origin: b }), ca: [CERTIFICATES.b.cert] }])
    for (const origin of [a, b]) expect((await buffer((await both.file(`${origin}/f`)).body)).length).toBeGreaterThan(0)
  })

  test('a host that is no upstream\'s is reached with those that it is trusted by', async () => {
    const [own, files] = [await serveTls('a'), await serveTls('b')]
    const other = await serve((request, response) => sendJson(request, response, PAGE))
    const upstream = make([{ ...source({ origin: own }), ca: [CERTIFICATES.a.cert] }, { ...source(other), ca: [CERTIFICATES.b.cert] }], { allowedFileHosts: [new URL(files).host] })
    expect((await buffer((await upstream.file(`${files}/f`)).body)).length).toBeGreaterThan(0)
    await expect(make([{ ...source({ origin: own }), ca: [CERTIFICATES.a.cert] }], { allowedFileHosts: [new URL(files).host] }).file(`${files}/f`)).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })
})

describe('HTTP proxies', () => {
  test.each(['http', 'https'] as const)('%s goes through the one of the settings, with its credentials', async (scheme) => {
    const proxy = await startProxy()
    const origin = scheme === 'http' ? (await serve((request, response) => sendJson(request, response, PAGE))).origin : await serveTls('a')
    const address = proxy.url.replace('//', '//proxy-user:proxy-pass@')
    const logged: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => { logged.push(line) } })
    const upstream = make([{ ...source({ origin: origin.replace('//', '//me:secret@') }), ca: [CERTIFICATES.a.cert], proxies: { http: address, https: address, bypass: '' } }], { log })
    expect((await upstream.page('six')).kind).toBe('page')
    expect(proxy.requests).toHaveLength(1)
    const [{ method, headers } = {} as IncomingMessage] = proxy.requests
    expect(method).toBe(scheme === 'http' ? 'GET' : 'CONNECT')
    expect(headers['proxy-authorization']).toBe(`Basic ${Buffer.from('proxy-user:proxy-pass').toString('base64')}`)
    // A tunnel is opened before anything is said in it.
    expect(headers.authorization !== undefined).toBe(scheme === 'http')
    expect(logged.join('')).not.toMatch(/proxy-pass|secret/)
  })

  test('what a page names is refused by its address behind one too', async () => {
    const proxy = await startProxy()
    const own = await serve((_request, response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end())
    const upstream = make([{ ...source(own), proxies: { http: proxy.url, https: proxy.url, bypass: '' } }])
    await expect(upstream.page('six')).rejects.toMatchObject({ code: 'upstream-forbidden' })
    expect(proxy.requests).toHaveLength(1)
  })

  test('one that refuses, or is gone, is an error that does not show it', async () => {
    const own = await serveTls('a')
    const refusing = await startProxy(407)
    const refused = make([{ ...source({ origin: own }), proxies: { http: undefined, https: refusing.url.replace('//', '//me:secret@'), bypass: '' } }]).page('six')
    await expect(refused).rejects.toMatchObject({ code: 'upstream-unreachable', detail: expect.stringMatching(/the HTTP proxy on the way .* refused \(407\)/) })
    await refused.catch((error: unknown) => expect(JSON.stringify(error, ['message', 'detail', 'cause'])).not.toContain('secret'))
    const gone = await startProxy()
    await gone.close()
    await expect(make([{ ...source({ origin: own }), proxies: { http: undefined, https: gone.url, bypass: '' } }]).page('six')).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })

  test('those of the environment are by scheme, and loopback and NO_PROXY are asked directly', async () => {
    const proxy = await startProxy()
    const own = await serve((request, response) => sendJson(request, response, PAGE))
    const page = (env: Record<string, string>, host = own.origin) => make([{ ...source({ origin: host }), proxies: environmentProxies(env) }]).page('six')
    await page({ HTTP_PROXY: proxy.url })
    expect(proxy.requests).toHaveLength(0)
    const named = 'http://upstream.example'
    expect((await page({ HTTP_PROXY: proxy.url }, named)).kind).toBe('page')
    expect(proxy.requests.map(({ url }) => url)).toEqual(['http://upstream.example/six/'])
    for (const env of [{ HTTPS_PROXY: proxy.url }, { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.2' }] as Record<string, string>[]) await expect(page(env, 'http://127.0.0.2:1')).rejects.toMatchObject({ code: 'upstream-unreachable' })
    expect(proxy.requests).toHaveLength(1)
  })

  test('the environment is read as by curl', () => {
    expect(environmentProxies({})).toBeUndefined()
    expect(environmentProxies({ http_proxy: 'proxy.example:3128', HTTP_PROXY: 'http://other.example', NO_PROXY: 'a.example' })).toEqual({ http: 'http://proxy.example:3128', https: undefined, bypass: 'a.example,localhost,127.0.0.1,::1' })
    expect(environmentProxies({ ALL_PROXY: 'http://proxy.example' })).toMatchObject({ http: 'http://proxy.example', https: 'http://proxy.example' })
    expect(() => environmentProxies({ HTTPS_PROXY: 'socks5://me:secret@proxy.example' })).toThrow(expect.objectContaining({ code: 'bad-settings', detail: expect.not.stringContaining('secret') }))
  })
})

async function serve(listener: RequestListener): Promise<TestServer> {
  const server = await startServer(listener)
  closers.push(() => server.close())
  return server
}

async function serveTls(name: 'a' | 'b'): Promise<string> {
  const server = createHttpsServer(CERTIFICATES[name], (request, response) => sendJson(request, response, PAGE))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => { server.closeAllConnections(); server.close(); await once(server, 'close') })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A proxy that takes every name for this machine, or refuses with a status. `requests` are those it got, CONNECT too. */
async function startProxy(refuse?: number): Promise<{ url: string; requests: IncomingMessage[]; close(): Promise<void> }> {
  const requests: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    requests.push(request)
    if (refuse) return void response.writeHead(refuse).end()
    const to = new URL(request.url ?? '')
    if (to.hostname.endsWith('.example')) return sendJson(request, response, PAGE)
    sendRequest(to, { headers: request.headers }, (answer) => { response.writeHead(answer.statusCode ?? 502, answer.headers); answer.pipe(response) }).end()
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    requests.push(request)
    if (refuse) return void socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`)
    const [host = '', port] = (request.url ?? '').split(':')
    const to = connect(Number(port), host, () => { socket.write('HTTP/1.1 200 OK\r\n\r\n'); to.pipe(socket); socket.pipe(to) })
    for (const each of [socket, to]) { sockets.add(each); each.on('error', () => undefined) }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    if (server.listening) { server.close(); await once(server, 'close') }
  }
  closers.push(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close }
}

function source({ origin }: { origin: string }): UpstreamSource {
  return { name: origin, url: `${origin}/`, from: 'a test', setting: 'upstream', ca: undefined, proxies: undefined, projects: [], exclusive: false, merge: [] }
}

function make(sources: UpstreamSource[], more: Partial<Parameters<typeof createUpstreams>[0]> = {}): ReturnType<typeof createUpstreams> {
  const upstream = createUpstreams({ sources, instance: 'instance-1', log: pino({ level: 'silent' }), clock, timeouts: { connect: 1000, headers: 2000, idle: 2000 }, ...more })
  closers.push(() => upstream.close())
  return upstream
}
