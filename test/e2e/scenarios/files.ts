/** An nginx in front that sends the kept files itself, as docs/files.md sets it up; and pip with METADATA that the upstream lacks. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { wheelContents, zip } from '../../fixtures/make-wheel.ts'
import { syntheticUpstream } from '../../synthetic-upstream.ts'
import { ROOT, cleanEnv, type Check, type Lab } from '../lab.ts'
import { nginx } from '../nginx.ts'

export default async function files(check: Check, lab: Lab): Promise<void> {
  const upstream = await syntheticUpstream()
  lab.onClose(() => upstream.close())
  const bytes = randomBytes(5_000_000)
  const path = `/files/${createHash('sha256').update(bytes).digest('hex')}/big-1.0.tar.gz`
  upstream.project('big', [{ filename: 'big-1.0.tar.gz', bytes, ranges: true }])
  const needed = await pureWheel('needed', '')
  upstream.project('needed', [{ filename: 'needed-1.0-py3-none-any.whl', bytes: needed, ranges: true }])
  upstream.project('asking', [{ filename: 'asking-1.0-py3-none-any.whl', bytes: await pureWheel('asking', 'Requires-Dist: needed\n'), ranges: true }])
  const broken = Buffer.from('this is no zip')
  upstream.project('broken', [{ filename: 'broken-2.0-py3-none-any.whl', bytes: broken }, { filename: 'broken-1.0-py3-none-any.whl', bytes: await pureWheel('broken', '') }])
  const muslin = await lab.muslin({ upstream: upstream.url, args: ['--builder', 'none', '--x-accel', '/muslin-blobs/'] })
  const port = await nginx(lab, muslin, await documented('location /', '}'), undefined, { user: 'root', locations: await blobLocation(join(muslin.data, 'blobs')) })
  const get = async (range?: string, more: Record<string, string> = {}) => await fetch(`http://127.0.0.1:${port}${path}`, { headers: { ...range === undefined ? {} : { range }, ...more } })
  await fetch(`${muslin.url}/simple/big/`)

  await check('a cold file comes through nginx from Muslin, a warm one from the disk, the same to the client', async () => {
    const cold = await get()
    assert.ok(Buffer.from(await cold.arrayBuffer()).equals(bytes))
    const warm = await get()
    assert.ok(Buffer.from(await warm.arrayBuffer()).equals(bytes))
    const same = ['etag', 'content-type', 'content-disposition', 'content-length', 'cache-control', 'x-content-type-options', 'content-security-policy']
    assert.deepEqual(same.map((name) => [name, warm.headers.get(name)]), same.map((name) => [name, cold.headers.get(name)]))
    assert.equal(warm.headers.get('last-modified'), null)
  })
  await check('Muslin sent nothing of the warm one', async () => {
    const direct = await fetch(`${muslin.url}${path}`, { headers: { 'x-sendfile-type': 'X-Accel-Redirect' } })
    assert.equal((await direct.arrayBuffer()).byteLength, 0)
    assert.equal(direct.headers.get('x-accel-redirect')?.startsWith('/muslin-blobs/sha256/'), true)
    assert.equal((await (await fetch(`${muslin.url}${path}`)).arrayBuffer()).byteLength, bytes.length)
  })
  await check('ranges, If-Range and 304', async () => {
    const tag = (await get()).headers.get('etag') ?? ''
    for (const [range, from, to] of [['bytes=0-9', 0, 10], ['bytes=-7', bytes.length - 7, bytes.length], ['bytes=4999990-', 4_999_990, bytes.length]] as const) {
      const part = await get(range, { 'if-range': tag })
      assert.equal(part.status, 206)
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(from, to)))
    }
    assert.equal((await get('bytes=0-9', { 'if-range': '"other"' })).status, 200)
    assert.equal((await get(undefined, { 'if-none-match': tag, 'cache-control': 'max-age=0' })).status, 304)
    assert.equal((await get('bytes=5000000-')).status, 416)
  })
  await check('nobody reads the folder of blobs by himself', async () => {
    assert.notEqual((await fetch(`http://127.0.0.1:${port}/muslin-blobs/sha256/`)).status, 200)
    const digest = path.split('/')[2]!
    assert.equal((await fetch(`http://127.0.0.1:${port}/muslin-blobs/sha256/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest}`)).status, 404)
  })

  const pip = async (...wanted: string[]) => await execa('python3', ['-m', 'pip', 'install', '--isolated', '--disable-pip-version-check', '--no-cache-dir', '--dry-run', '--ignore-installed', '-v', '--index-url', `${muslin.url}/simple/`, ...wanted], { env: cleanEnv(), extendEnv: false, reject: false, all: true })
  await check('pip resolves by METADATA that the upstream does not offer', async () => {
    const run = await pip('asking')
    assert.equal(run.exitCode, 0, run.all)
    assert.match(run.all, /needed-1\.0/)
    assert.ok(!upstream.requests.some((line) => line.endsWith('.metadata')))
  })
  await check('a wheel that nobody can read stops one run at most; then pip sees what it would have without us', async () => {
    await pip('broken')
    const after = await pip('broken')
    const plain = await execa('python3', ['-m', 'pip', 'install', '--isolated', '--disable-pip-version-check', '--no-cache-dir', '--dry-run', '--ignore-installed', '--index-url', upstream.url, 'broken'], { env: cleanEnv(), extendEnv: false, reject: false, all: true })
    assert.equal(after.exitCode, plain.exitCode, after.all)
    assert.match(after.all, /invalid|not a zip|BadZip/i)
    assert.match(plain.all, /invalid|not a zip|BadZip/i)
    assert.equal((await pip('broken==1.0')).exitCode, 0)
  })
}

async function pureWheel(name: string, requires: string): Promise<Buffer> {
  return Buffer.from(await zip(wheelContents({ [`${name}.py`]: '' }, { info: `${name}-1.0.dist-info`, purelib: true, tags: ['py3-none-any'], metadata: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n${requires}` })))
}

/** The directives of a block of the nginx configuration in docs/files.md, but for the address that a test has its own of. */
async function documented(block: string, end: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/files.md'), 'utf8')
  const from = page.indexOf(`${block} {`)
  assert.ok(from > 0, `docs/files.md has no ${block}`)
  return page.slice(from + block.length + 2, page.indexOf(end, from)).split('\n').filter((line) => !line.includes('proxy_pass')).join('\n')
}

async function blobLocation(folder: string): Promise<string> {
  return `location /muslin-blobs/ {${(await documented('location /muslin-blobs/', '}')).replace('/var/lib/muslin/blobs', folder)}}`
}
