/** kill -9 everywhere: nothing half-written is served, no container is left, a fresh pip succeeds. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLEAN, docker, LABEL, ROOT, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay, type Relay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const STEPS = ['fetch', 'metadata', 'build', 'repair', 'verify', 'try'] as const
const DOWNLOADS = 10
const BIG = 8 * 1024 * 1024

export default async function kill(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const seed = Number(process.env['MUSLIN_TEST_SEED'] ?? Date.now() % 100_000)
  const random = generator(seed)
  console.log(`       seed ${seed}`)
  const data = join(await lab.folder(), 'data')
  let muslin = await lab.muslin({ upstream: relay.url, data })
  const { port } = muslin

  for (const [n, step] of [...STEPS, 'publish', 'random', 'random', 'random'].entries()) {
    const project = `kill-${step}-${n}`
    const wait = 500 + random() * 8000
    await check(`killed in ${step}${step === 'random' ? ` (after ${(wait / 1000).toFixed(1)} s)` : ''}`, async () => {
      relay.add(await slowSdist(project))
      if (step === 'publish') muslin = await restart(lab, muslin, relay, { main: join(ROOT, 'test/e2e/paused-main.ts') })
      const client = lab.run(CLEAN, ['pip', 'download', '-q', '--no-deps', '-d', '/tmp/w', project], { env: { ...lab.index(muslin), PIP_RETRIES: '0' } })
      if (step === 'random') {
        await muslin.until('the job is there', () => (job(muslin, project) ? true : undefined))
        await sleep(wait)
      } else if (step === 'publish') {
        await muslin.until('the blob is stored', () => (muslin.output().includes('paused between blob and transaction') ? true : undefined))
      } else {
        await inStep(muslin, project, step)
      }
      const at = job(muslin, project)
      await muslin.kill('SIGKILL')
      console.log(`       killed in step ${at?.step ?? '-'} (${at?.state})`)
      const left = await ours(data)
      muslin = await lab.muslin({ upstream: relay.url, data, port })
      await client
      const fresh = await lab.run(CLEAN, ['sh', '-c', `pip install -q --no-deps ${project} && python -c "import _${project.replaceAll('-', '_')}"`], { env: lab.index(muslin) })
      assert.equal(fresh.code, 0, fresh.output)
      const row = job(muslin, project)
      assert.equal(row?.state, 'built')
      const still = await ours(data)
      assert.deepEqual(still.filter((id) => left.includes(id)), [], 'a container of the dead process is left')
      await everyBlobIsWhole(data)
    })
  }

  for (let n = 0; n < DOWNLOADS; n++) {
    await check(`killed inside an upstream download, ${n + 1} of ${DOWNLOADS}`, async () => {
      const project = `kill-download-${n}`
      const sdist = await bigSdist(project, random)
      relay.add(sdist)
      const cut = Math.floor(random() * BIG)
      const entered = stopAt(relay, sdist, cut)
      await fetch(`${muslin.url}/simple/${project}/`)
      const path = `/files/${sdist.sha256}/${sdist.filename}`
      const half = fetch(`${muslin.url}${path}`).then((response) => response.arrayBuffer()).catch(() => undefined)
      await entered
      await muslin.kill('SIGKILL')
      assert.equal(await half, undefined, 'the client was cut')
      relay.onFile = async () => undefined
      muslin = await lab.muslin({ upstream: relay.url, data, port })
      const whole = await fetch(`${muslin.url}${path}`)
      assert.equal(sha256(Buffer.from(await whole.arrayBuffer())), sdist.sha256)
      await everyBlobIsWhole(data)
    })
  }
  await check('no container and no draft is left', async () => {
    await muslin.stop()
    assert.deepEqual(await ours(data), [])
    await everyBlobIsWhole(data)
  })
}

/** A build whose every step lasts long enough to be met: it sleeps in the metadata and build steps and makes a large wheel. */
async function slowSdist(project: string) {
  const prelude = `import os, sys, time
if "dist_info" in sys.argv: time.sleep(1.5)
os.makedirs("${project}_data", exist_ok=True)
open("${project}_data/__init__.py", "w").close()
open("${project}_data/large.bin", "wb").write(os.urandom(20_000_000) if "bdist_wheel" in sys.argv else b"")
import setuptools
_setup = setuptools.setup
setuptools.setup = lambda **kw: _setup(packages=["${project}_data"], package_data={"${project}_data": ["large.bin"]}, **kw)
`.replaceAll(`${project}_data`, `${project.replaceAll('-', '_')}_data`)
  return await makeSdist({ project, prelude, inBuild: 'import time; time.sleep(1.5)', staticMetadata: false })
}

async function bigSdist(project: string, random: () => number) {
  const noise = Buffer.alloc(BIG)
  for (let at = 0; at < BIG; at += 4) noise.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  return await makeSdist({ project, files: { 'noise.txt': noise.toString('latin1') } })
}

/** The relay sends `cut` bytes of the file and then nothing; resolves when it has. */
function stopAt(relay: Relay, sdist: { filename: string; bytes: Buffer }, cut: number): Promise<void> {
  return new Promise((resolve) => {
    relay.onFile = async (path, response) => {
      if (!path.endsWith(sdist.filename)) return
      response.writeHead(200, { 'content-length': sdist.bytes.length })
      response.write(sdist.bytes.subarray(0, cut))
      setTimeout(resolve, 100)
      await new Promise(() => undefined)
    }
  })
}

async function restart(lab: Lab, muslin: Muslin, relay: Relay, more: { main?: string }): Promise<Muslin> {
  await muslin.stop()
  return await lab.muslin({ upstream: relay.url, data: muslin.data, port: muslin.port, ...more })
}

function job(muslin: Muslin, project: string) {
  return muslin.jobs().find((row) => row.project === project && row.kind === 'build') ?? muslin.jobs().find((row) => row.project === project)
}

/** Looks a hundred times a second: some steps are short. */
async function inStep(muslin: Muslin, project: string, step: string): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!muslin.jobs().some((row) => row.project === project && row.state === 'running' && row.step === step)) {
    if (Date.now() > deadline) throw new Error(`step ${step} was never seen; the server said:\n${muslin.output().slice(-3000)}`)
    await sleep(10)
  }
}

/** Containers that bear this instance's label. */
async function ours(data: string): Promise<string[]> {
  const { instance } = JSON.parse(await readFile(join(data, 'server.json'), 'utf8')) as { instance: string }
  const all = await docker(['ps', '-aq', '--no-trunc', '--filter', `label=muslin.instance=${instance}`])
  const tests = await docker(['ps', '-aq', '--no-trunc', '--filter', `label=${LABEL}`])
  return all.split('\n').filter((id) => id && !tests.includes(id))
}

async function everyBlobIsWhole(data: string): Promise<void> {
  const folder = join(data, 'blobs', 'sha256')
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) assert.equal(sha256(await readFile(join(entry.parentPath, entry.name))), entry.name)
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A small seeded generator (mulberry32), so that a printed seed repeats the run. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
