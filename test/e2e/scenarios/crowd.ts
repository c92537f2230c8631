/** Thirty clients, one build; again with all but one of them killed half-way. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { CLEAN, cleanEnv, docker, HOST, LABEL, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const CROWD = 30
const BUILD_SECONDS = 20

export default async function crowd(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  for (const project of ['crowd-all', 'crowd-killed']) {
    relay.add(await makeSdist({ project, inBuild: `import time; time.sleep(${BUILD_SECONDS})` }))
  }

  await check(`${CROWD} pips ask for the same promised wheel: one build, ${CROWD} equal wheels`, async () => {
    const { web, worker } = await lab.pair(relay.url)
    await allAsk(lab, web, worker, 'crowd-all', 'all')
    const digests = await wheels('all')
    assert.equal(digests.length, CROWD)
    assert.equal(new Set(digests).size, 1, 'all wheels are equal')
    oneBuild(web, 'crowd-all')
    await worker.stop()
    await web.stop()
  })

  await check(`${CROWD - 1} of them killed half-way, the first asker among them: one build, the last one gets its wheel`, async () => {
    const { web, worker } = await lab.pair(relay.url)
    const names = await allAsk(lab, web, worker, 'crowd-killed', 'killed', async (first) => {
      await web.until('the compile has begun', () => (web.jobs().some((job) => job.kind === 'build' && job.step === 'build') ? true : undefined))
      await sleep((BUILD_SECONDS / 2) * 1000)
      const survivor = [...Array(CROWD).keys()].map((n) => `muslin-crowd-killed-${n}`).find((name) => name !== first) ?? ''
      const victims = [...Array(CROWD).keys()].map((n) => `muslin-crowd-killed-${n}`).filter((name) => name !== survivor)
      assert.ok(victims.includes(first))
      await docker(['kill', '--signal', 'KILL', ...victims])
      return survivor
    })
    const digests = await wheels('killed')
    assert.equal(digests.length, 1, `only ${names.survivor} finished`)
    oneBuild(web, 'crowd-killed')
    await worker.stop()
    await web.stop()
  })
}

/** Starts the crowd while the worker process is stopped (SIGSTOP), lets it go on once every page was asked for, and waits for the end. */
async function allAsk(lab: Lab, web: Muslin, worker: Muslin, project: string, tag: string, meanwhile?: (firstAsker: string) => Promise<string>): Promise<{ survivor: string | undefined }> {
  process.kill(worker.pid, 'SIGSTOP')
  const env = Object.entries({ ...lab.index(web), PIP_PROGRESS_BAR: 'off' }).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const script = `pip download -q --no-deps -d /tmp/w ${project} && sha256sum /tmp/w/*.whl`
  const runs = [...Array(CROWD).keys()].map((n) => execa('docker', ['run', '--name', `muslin-crowd-${tag}-${n}`, '--label', LABEL, '--add-host', `${HOST}:host-gateway`, ...env, CLEAN, 'sh', '-c', script], { env: cleanEnv(), extendEnv: false, reject: false, all: true, stdin: 'ignore' }))
  lab.onClose(async () => { await execa('docker', ['rm', '-f', ...[...Array(CROWD).keys()].map((n) => `muslin-crowd-${tag}-${n}`)], { env: cleanEnv(), extendEnv: false, reject: false }) })
  const pages = () => web.events('request').filter((line) => line.path === `/simple/${project}/`)
  await web.until(`${CROWD} page requests`, () => (pages().length >= CROWD ? true : undefined), 180)
  await web.until(`${CROWD} held requests`, () => (new Set(web.events('hold').map((line) => line.client)).size >= CROWD ? true : undefined), 60)
  const firstClient = web.events('hold')[0]?.client ?? ''
  const lastPage = Math.max(...pages().map((line) => Date.parse(line.time)))
  process.kill(worker.pid, 'SIGCONT')
  const survivor = await meanwhile?.(await containerAt(firstClient, tag))
  const results = await Promise.all(runs)
  const started = web.jobs().find((job) => job.project === project && job.kind === 'build')?.started_at ?? 0
  assert.ok(lastPage < started, `the last page was asked for at ${lastPage}, the build began at ${started}`)
  if (!meanwhile) for (const result of results) assert.equal(result.exitCode, 0, String(result.all).slice(-1500))
  return { survivor }
}

async function containerAt(address: string, tag: string): Promise<string> {
  for (const n of Array(CROWD).keys()) {
    const name = `muslin-crowd-${tag}-${n}`
    if ((await docker(['inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name])) === address) return name
  }
  throw new Error(`no container has the address ${address}`)
}

async function wheels(tag: string): Promise<string[]> {
  const digests: string[] = []
  for (const n of Array(CROWD).keys()) {
    const log = await docker(['logs', `muslin-crowd-${tag}-${n}`])
    const found = /^([0-9a-f]{64}) {2}.*\.whl$/m.exec(log)
    if (found?.[1]) digests.push(found[1])
  }
  return digests
}

function oneBuild(muslin: Muslin, project: string): void {
  const builds = muslin.jobs().filter((job) => job.project === project && job.kind === 'build')
  assert.equal(builds.length, 1)
  assert.equal(builds[0]?.state, 'built')
  assert.equal(builds[0]?.attempts, 1)
  assert.ok(((builds[0]?.finished_at ?? 0) - (builds[0]?.started_at ?? 0)) / 1000 >= BUILD_SECONDS)
}
