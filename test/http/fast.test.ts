import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { zstdDecompressSync } from 'node:zlib'
import { pino } from 'pino'
import { JSON_V1, sha256 } from '../synthetic-upstream.ts'
import { AGENTS, makeRig, TARGET, type Rig } from './rig.ts'

const wheel = { filename: 'cffi-1.17-cp313-cp313-manylinux_2_17_x86_64.whl', bytes: Buffer.from('a wheel of cffi'), metadata: 'Metadata-Version: 2.1\nName: cffi\nVersion: 1.17\n' }
const sdist = { filename: 'cffi-1.17.tar.gz', bytes: Buffer.from('the sdist of cffi') }
const json = { accept: JSON_V1 }
/** What the routes know and the fast way does not, without a change of the answer. */
const SLOW = { 'muslin-via': 'another' }

async function filled(rig: Rig): Promise<void> {
  await rig.ready()
  rig.upstream.project('cffi', [sdist, wheel])
  // Big enough for a thread.
  rig.upstream.project('big', Array.from({ length: 400 }, (_, n) => ({ filename: `big-${n}.tar.gz`, bytes: Buffer.from(`big ${n}`) })))
  for (const file of [sdist, wheel]) await rig.get('/simple/cffi/').then(() => rig.get(`/files/${sha256(file.bytes)}/${file.filename}`))
  await rig.get(`/files/${sha256(wheel.bytes)}/${wheel.filename}.metadata`)
}

describe('whatever is asked, the fast way says what the router says, to the byte', () => {
  let rig: Rig
  beforeAll(async () => { await filled(rig = await makeRig({ publicUrl: 'https://wheels.example/py', policy: { views: { old: { cooldown: 60 } } } })) })
  afterAll(() => rig.close())

  const pages = fc.tuple(
    fc.constantFrom('', '/py'),
    often(['/simple/', '/finished/simple/', `/target/${TARGET}/simple/`, '/before/2026-01-31/simple/', '/view/old/simple/', '/view/old/finished/simple/'], ['/target/cp399-musllinux_1_2_x86_64/simple/', '/before/2999-01-01/simple/', '/view/none/simple/']),
    often(['cffi', 'big'], ['absent', 'CFFI', 'cf--fi', '-', 'cffi%2e']),
    often(['/', '/', '/?format=text/html'], ['', '/?format=', `/?format=${JSON_V1}`, `/?format=${encodeURIComponent(JSON_V1)}`, '/?format=none', '/?format=text/html&format=x', '/?x']),
  ).map((parts) => parts.join(''))
  const files = fc.tuple(
    fc.constantFrom('', '/py'),
    often([sha256(wheel.bytes)], [sha256(sdist.bytes), '0'.repeat(64), 'x']),
    often([wheel.filename, `${wheel.filename}.metadata`], [sdist.filename, `${sdist.filename}.metadata`, `${wheel.filename}.record.json`, 'a%2Fb', 'a+b']),
  ).map(([prefix, digest, name]) => `${prefix}/files/${digest}/${name}`)
  const usual = fc.record({
    'user-agent': fc.constantFrom(...Object.values(AGENTS), AGENTS.pip.replace('25.1.1', '22.3'), 'curl/8', `pip/1 ${'x'.repeat(3000)}`),
    'accept': often([JSON_V1, 'text/html', '*/*', 'application/vnd.pypi.simple.v1+html', `${JSON_V1}, text/html;q=0.5`], ['image/png', '']),
    'accept-encoding': often(['gzip', 'zstd', 'gzip, deflate, br, zstd', 'identity', 'gzip;q=0.5, zstd;q=0.1'], ['', '*', 'identity;q=0', 'br']),
    'cache-control': fc.constantFrom('max-age=0', 'no-store'),
  }, { requiredKeys: ['user-agent'] })
  const unusual = often<Record<string, string>>([{}], [
    { 'if-modified-since': 'Sun, 22 Nov 2026 10:00:00 GMT' }, { range: 'bytes=0-3' }, { range: 'bytes=900-' }, { host: 'strange.example' }, { cookie: 'a=b' }, { authorization: 'Bearer none' }, { 'cache-control': 'no-cache' },
  ])
  const headers = fc.tuple(usual, unusual).map(([one, more]) => ({ ...one, ...more }))
  const tags = often([undefined, (tag: string) => tag], [(tag: string) => `W/${tag}`, (tag: string) => `"other", ${tag}`, () => '"other"', () => '*'])

  test('for any request', async () => {
    let fast = 0
    await fc.assert(fc.asyncProperty(fc.oneof({ weight: 3, arbitrary: pages }, files), headers, fc.constantFrom('GET', 'GET', 'HEAD'), tags, async (path, given, method, tagged) => {
      const { headers: { etag } } = await rig.get(path, { ...given, ...SLOW })
      const asked = { ...given, ...tagged && etag !== undefined && { 'if-none-match': tagged(etag) } }
      const before = rig.passed()
      const seen = await rig.get(path, asked, method)
      fast += Number(rig.passed() === before)
      const expected = await rig.get(path, { ...asked, ...SLOW }, method)
      expect(comparable(seen)).toEqual(comparable(expected))
    }), { numRuns: 150 })
    // Else it would have compared the router with itself.
    expect(fast).toBeGreaterThan(30)
  })

  test.each([
    ['/simple/cffi/', json], ['/simple/big/', { 'accept-encoding': 'zstd' }], [`/target/${TARGET}/simple/cffi/`, json], ['/finished/simple/cffi/', { 'user-agent': AGENTS.pip }],
    ['/py/simple/cffi/', { 'user-agent': AGENTS.uv, 'accept-encoding': 'gzip, deflate, zstd' }], [`/simple/cffi/?format=text/html`, { 'cache-control': 'max-age=0' }],
    [`/files/${sha256(wheel.bytes)}/${wheel.filename}`, {}], [`/files/${sha256(wheel.bytes)}/${wheel.filename}.metadata`, {}],
  ])('%s of an installer comes to no router once it is ready, nor does its 304, nor its HEAD', async (path, given: Record<string, string>) => {
    const { headers: { etag = '' } } = await rig.get(path, given)
    const before = rig.passed()
    const answers = [await rig.get(path, given), await rig.get(path, { ...given, 'if-none-match': etag }), await rig.get(path, given, 'HEAD')]
    expect(answers.map(({ status }) => status)).toEqual([200, 304, 200])
    expect(answers[2]!.headers['content-length']).toBe(String(answers[0]!.body.length))
    expect(rig.passed()).toBe(before)
  })
})

/** One of the first four times of five. */
function often<T>(most: T[], rest: T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...most) }, { weight: 1, arbitrary: fc.constantFrom(...rest) })
}

function comparable({ status, reason, rawHeaders, body }: Awaited<ReturnType<Rig['get']>>) {
  const headers = Array.from({ length: rawHeaders.length / 2 }, (_, n) => `${rawHeaders[2 * n]}: ${rawHeaders[2 * n + 1]}`)
  return { status, reason, headers: headers.filter((header) => !header.startsWith('Date: ')), body: body.toString('latin1') }
}

describe('what is ready', () => {
  let rig: Rig
  let lines: Record<string, unknown>[]
  beforeEach(async () => {
    lines = []
    await filled(rig = await makeRig({ log: pino({ level: 'info' }, { write: (line: string) => { lines.push(JSON.parse(line)) } }), trustedProxies: ['127.0.0.1'] }))
  })
  afterEach(() => rig.close())

  test('a page is no longer ready once it must be asked for, has changed, or may promise no more', async () => {
    const names = async () => {
      const page = JSON.parse((await rig.get('/simple/cffi/', { ...json, 'user-agent': AGENTS.uv })).body.toString()) as { files: { filename: string }[] }
      return page.files.map(({ filename }) => filename)
    }
    expect(await names()).toEqual([sdist.filename, wheel.filename, `cffi-1.17-1-cp313-${TARGET}.whl`])
    await rig.store.jobs.pause('upgrade', rig.clock.now())
    expect(await names()).toEqual([sdist.filename, wheel.filename])
    await rig.store.jobs.resume()
    expect(await names()).toHaveLength(3)
    await rig.store.jobs.wish({ kind: 'build', project: 'cffi', version: '1.17', sdist: { sha256: sha256(sdist.bytes), filename: sdist.filename }, target: TARGET, recipe: '', image: 'image-1', priority: 40, askedBy: 'me' }, rig.clock.now())
    await rig.fail(await rig.claim(), { class: 'compiler-error', key: 'x' })
    expect(await names()).toEqual([sdist.filename, wheel.filename])
    rig.upstream.project('cffi', [wheel])
    await rig.clock.advance(61_000)
    expect(await names()).toEqual([wheel.filename])
  })

  test('zstd comes whole, with a tag of its own', async () => {
    const plain = await rig.get('/simple/big/', json)
    const small = await rig.get('/simple/big/', { ...json, 'accept-encoding': 'gzip, deflate, zstd' })
    expect(small.headers).toMatchObject({ 'content-encoding': 'zstd', 'etag': plain.headers.etag?.replace(/"$/, '-zstd"') })
    expect(zstdDecompressSync(small.body).equals(plain.body)).toBe(true)
    expect((await rig.get('/simple/big/', { 'accept-encoding': 'identity;q=0, br' })).status).toBe(406)
  })

  test('a file that is sent is counted for the client that a trusted proxy names, its metadata and what is sent again are not', async () => {
    const path = `/files/${sha256(wheel.bytes)}/${wheel.filename}`
    const before = rig.passed()
    const { headers: { etag = '' } } = await rig.get(path, { 'user-agent': AGENTS.pip, 'x-forwarded-for': '10.0.0.7' })
    for (const held of [{ 'if-none-match': etag }, {}]) await rig.get(held['if-none-match'] ? path : `${path}.metadata`, { 'user-agent': AGENTS.pip, ...held })
    await rig.get(path, { 'user-agent': AGENTS.pip }, 'HEAD')
    expect(rig.passed()).toBe(before)
    await rig.downloads.flush()
    expect(await rig.store.downloads.totals()).toMatchObject({ files: 1 })
    expect(await rig.store.downloads.demand(TARGET)).toEqual([{ project: 'cffi', version: '1.17', downloads: 1 }])
  })

  test('the same bytes under two names have the name of each, and are counted each time', async () => {
    const twin = { ...wheel, filename: wheel.filename.replace('313-cp313', '312-cp312') }
    rig.upstream.project('cffi', [sdist, wheel, twin])
    await rig.clock.advance(61_000)
    await rig.get('/simple/cffi/', json)
    const asked = [wheel, twin, wheel, wheel, twin].map(({ filename }) => filename)
    const told: (string | undefined)[] = []
    const before = rig.passed()
    for (const filename of asked) told.push((await rig.get(`/files/${sha256(wheel.bytes)}/${filename}`, { 'user-agent': AGENTS.pip })).headers['content-disposition'])
    expect(rig.passed()).toBe(before)
    expect(told).toEqual(asked.map((filename) => `attachment; filename="${filename}"`))
    await rig.downloads.flush()
    expect(await rig.store.downloads.totals()).toMatchObject({ files: 5 })
  })

  test('both ways write the same line to the log', async () => {
    const page = '/simple/cffi/?format=text/html'
    await rig.get(page, { 'user-agent': AGENTS.pip })
    lines.length = 0
    const before = rig.passed()
    await rig.get(page, { 'user-agent': AGENTS.pip })
    expect(rig.passed()).toBe(before)
    await rig.get(page, { 'user-agent': AGENTS.pip, ...SLOW })
    const [fast, slow] = lines.map(({ ms: _ms, time: _time, ...line }) => line)
    expect(fast).toMatchObject({ msg: 'request', path: '/simple/cffi/', status: 200, complete: true })
    expect(fast).toEqual(slow)
  })

  test('a server that closes leaves all to the router, which ends the connection', async () => {
    await rig.get('/simple/cffi/', json)
    rig.closing.abort()
    expect((await rig.get('/simple/cffi/', json)).headers.connection).toBe('close')
  })
})
