/** A queue through storms: forty builds, four at once, the worker killed twice and the engine restarted once; every job ends once, as it must. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import { BUILDER, CLEAN, cleanEnv, freePort, type Check, type Lab, type Muslin } from '../lab.ts'
import { ownDockerd } from '../own-dockerd.ts'
import { startRelay } from '../relay.ts'
import { makeSdist, type Sdist } from '../sdists.ts'

const SLOTS = 4
/** Of each ten builds: one does not compile, one needs another's wheel, one asks for its METADATA only when it is built. */
const BUILDS = 40
/** So long each compile lasts at least, in seconds: storms must meet some. */
const LASTS = 2

export default async function drain(check: Check, lab: Lab): Promise<void> {
  const engine = await ownDockerd(lab, [BUILDER, CLEAN])
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const sdists = await Promise.all(Array.from({ length: BUILDS }, (_, n) => sdistNumber(n)))
  relay.add(...sdists)
  const [data, port] = [join(await lab.folder(), 'data'), await freePort()]
  const args = ['--workers', String(SLOTS), '--worker-memory', '16g', '--limits-memory', '1g', '--fetch-url', `http://${engine.host}:${port}`, '--fetch-network', engine.network]
  const web = await lab.muslin({ upstream: relay.url, data, port, args: ['--role', 'web', ...args] })
  const startWorker = () => lab.muslin({ upstream: relay.url, data, args: ['--role', 'worker', ...args], env: { DOCKER_HOST: engine.address } })
  let worker = await startWorker()
  await web.until('the worker has told its targets', async () => ((await (await fetch(`${web.url}/readyz`)).text()).includes('wheels are built for') ? true : undefined))

  await check(`${BUILDS} builds are queued, ${SLOTS} of them run, and the others tell their place and when they begin`, async () => {
    for (const { project } of sdists) await order(web, project)
    await web.until(`${SLOTS} run`, () => running(web).length === SLOTS || undefined)
    const { jobs } = (await (await fetch(`${web.url}/api/v1/jobs?state=queued&limit=100`)).json()) as { jobs: { id: number; ahead: number; startsInSeconds: number | null; estimateSeconds: number | null }[] }
    const queue = jobs.toSorted((a, b) => a.ahead - b.ahead)
    assert.ok(queue.length >= BUILDS - SLOTS - 4, `${queue.length} are queued`)
    assert.deepEqual(queue.map(({ ahead }) => ahead), queue.map((_, n) => n))
    const times = queue.map(({ startsInSeconds }) => startsInSeconds ?? Number.NaN)
    assert.deepEqual(times, times.toSorted((a, b) => a - b))
    console.log(`       the last one of ${queue.length} is told to begin in ${Math.round(times.at(-1) ?? 0)} s`)
  })
  await check('the engine is restarted while builds run: no build is the worse for it', async () => {
    await inBuild(web, 2)
    const met = running(web).map(({ id }) => id)
    await engine.restart()
    console.log(`       jobs ${met.join(', ')} ran`)
    await web.until('builds run again', () => running(web).some(({ id, attempts }) => !met.includes(id) || attempts > 1) || undefined, 300)
  })
  for (const time of ['first', 'second']) {
    await check(`the worker is killed the ${time} time while builds run: its jobs go back to the queue at the next start`, async () => {
      await inBuild(web, 3)
      const met = running(web).map(({ id }) => id)
      await worker.kill('SIGKILL')
      assert.ok((await containers(engine.address)).length > 0, 'it left no container: it was not met in a build')
      worker = await startWorker()
      await worker.until('they run again, or are done', () => web.jobs().filter(({ id }) => met.includes(id)).every(({ state, attempts, worker: by }) => state !== 'running' || attempts > 1 || by === null) || undefined)
      console.log(`       jobs ${met.join(', ')} ran`)
    })
  }
  await check('every job ends, in the state that its sdist makes it end in', async () => {
    await web.until('all is over', () => web.jobs().every((job) => job.state === 'built' || job.state === 'failed') || undefined, 1500)
    const ended = web.jobs().filter(({ kind }) => kind === 'build').map(({ project, state, failure }) => `${project} ${failure?.class ?? state}`)
    assert.deepEqual(ended.sort(), sdists.map(({ project }) => `${project} ${project.includes('broken') ? 'compiler-error' : 'built'}`).sort())
  })
  await check('and it ends once: one run of each has an outcome, one wheel is published, and one log says so', async () => {
    const { builds, wheels } = tables(web)
    for (const job of web.jobs().filter(({ kind }) => kind === 'build')) {
      const runs = builds.filter((build) => build.job === job.id)
      assert.ok(runs.every(({ finished_at }) => finished_at !== null), `a run of job ${job.id} never ended`)
      const outcomes = runs.filter(({ record, failure }) => record !== null && !/infrastructure|build-requirement/.test(failure ?? ''))
      assert.equal(outcomes.length, 1, `${job.project}: ${JSON.stringify(runs.map(({ id, failure }) => [id, failure]))}`)
      assert.equal(outcomes[0]!.id, job.build)
      assert.equal(wheels.filter((wheel) => wheel.project === job.project).length, job.state === 'built' ? 1 : 0)
      const logs = await Promise.all(runs.map(async ({ id }) => (await fetch(`${web.url}/b/${id}`)).text()))
      assert.equal(logs.filter((log) => /^Muslin: (publishing|failed, compiler-error)/m.test(log)).length, 1, job.project)
    }
    const interrupted = builds.filter(({ failure, record }) => record === null && (failure === null || failure.includes('the worker died'))).length
    assert.ok(!builds.some(({ failure }) => failure !== null && /infrastructure/.test(failure) && !failure.includes('the worker died')), 'the engine\'s restart failed a job')
    console.log(`       ${builds.length} runs for ${web.jobs().length} jobs, ${interrupted} of them cut off`)
    assert.ok(interrupted >= 3 * 2, 'the storms met too few')
  })
  await check('no container, network, volume or file is left', async () => {
    await worker.stop()
    assert.deepEqual(await containers(engine.address), [])
    const docker = async (...words: string[]) => (await execa('docker', ['--host', engine.address, ...words], { env: cleanEnv(), extendEnv: false })).stdout.split('\n').filter(Boolean).sort()
    assert.deepEqual(await docker('network', 'ls', '--format', '{{.Name}}'), ['bridge', 'host', engine.network, 'none'].sort())
    assert.deepEqual(await docker('volume', 'ls', '--quiet'), [])
    await web.stop()
    assert.deepEqual(await readdir(join(data, 'scratch')), [])
    for (const entry of await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true })) {
      // The mark of a process that has ended is swept by the next one's start.
      if (!entry.isFile() || entry.name.endsWith('.lock')) continue
      const bytes = await readFile(join(entry.parentPath, entry.name))
      assert.equal(createHash('sha256').update(bytes).digest('hex'), entry.name, `${entry.parentPath}/${entry.name} is no whole blob`)
    }
  })
}

async function sdistNumber(n: number): Promise<Sdist> {
  const kind = n % 10 === 3 ? 'broken' : n % 10 === 5 ? 'needs' : n % 10 === 7 ? 'late' : 'plain'
  const project = `drain-${kind}-${n}`
  return makeSdist({
    project, inBuild: `import time; time.sleep(${LASTS})`, staticMetadata: kind !== 'late',
    ...kind === 'broken' && { c: '#error "it is broken"\n' },
    // The one after it in the queue, which nobody has built by then.
    ...kind === 'needs' && { requires: ['setuptools', `drain-plain-${n + 1}`] },
  })
}

async function order(web: Muslin, project: string): Promise<void> {
  const token = (await readFile(join(web.data, 'admin-token'), 'utf8')).trim()
  const answer = await fetch(`${web.url}/api/v1/jobs`, { method: 'POST', headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ project }) })
  assert.equal(answer.status, 201, await answer.text())
}

function running(web: Muslin) {
  return web.jobs().filter(({ state }) => state === 'running')
}

async function inBuild(web: Muslin, least: number): Promise<void> {
  await web.until(`${least} builds compile`, () => running(web).filter(({ step }) => step === 'build').length >= least || undefined, 600)
}

async function containers(address: string): Promise<string[]> {
  return (await execa('docker', ['--host', address, 'ps', '--all', '--quiet'], { env: cleanEnv(), extendEnv: false })).stdout.split('\n').filter(Boolean)
}

function tables(web: Muslin) {
  const database = new Database(join(web.data, 'muslin.db'), { readonly: true })
  try {
    return {
      builds: database.prepare('SELECT * FROM builds ORDER BY id').all() as { id: number; job: number; finished_at: number | null; failure: string | null; record: string | null }[],
      wheels: database.prepare('SELECT project FROM wheels').all() as { project: string }[],
    }
  } finally {
    database.close()
  }
}
