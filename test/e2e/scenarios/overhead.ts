/** What a build of ours takes beyond the compile: from claim to publication, against `pip wheel` in a container that runs already. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { BUILDER, cleanEnv, docker, HOST, LABEL, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist, type Sdist } from '../sdists.ts'
import { order } from '../ui-sizes.ts'

const MOST_SECONDS = 6
/** The best of so many counts on either side: what else the machine does is not ours. */
const RUNS = 6

interface Step { step: string; seconds: number }

export default async function overhead(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const sdists = await Promise.all(['warm', ...Array.from({ length: RUNS }, (_, n) => `small${n}`)].map((project) => makeSdist({ project, staticMetadata: false })))
  relay.add(...sdists)
  const muslin = await lab.muslin({ upstream: relay.url })
  const token = (await readFile(join(muslin.data, 'admin-token'), 'utf8')).trim()
  let control = Infinity
  let ours = Infinity

  await check('control: pip wheel --no-build-isolation in a container that runs and has the requirements', async () => {
    control = await inContainer(lab, muslin, sdists.slice(1))
    console.log(`       ${control.toFixed(2)} s`)
  })

  await check('the same sdists, from claim to publication, once images and requirements are there', async () => {
    for (const { project } of sdists) {
      const id = await order(muslin, token, project)
      const job = muslin.jobs().find((row) => row.id === id)
      const seconds = ((job?.finished_at ?? 0) - (job?.started_at ?? 0)) / 1000
      const { record } = (await (await fetch(`${muslin.url}/api/v1/builds/${job?.build}`)).json()) as { record: { steps: Step[] } }
      console.log(`       ${project}: ${seconds.toFixed(2)} s (${record.steps.map((one) => `${one.step} ${one.seconds.toFixed(2)}`).join(', ')})`)
      if (project !== 'warm') ours = Math.min(ours, seconds)
    }
  })

  await check(`which is at most ${MOST_SECONDS} s more`, async () => {
    console.log(`       ${(ours - control).toFixed(2)} s more`)
    assert.ok(ours - control <= MOST_SECONDS, `${ours} s against ${control} s`)
  })
}

/** The best time in seconds. Confined as ours is, so that nothing but our own work is counted. */
async function inContainer(lab: Lab, muslin: Muslin, sdists: Sdist[]): Promise<number> {
  const name = `muslin-overhead-${process.pid}`
  lab.onClose(async () => { await docker(['rm', '-f', name]) })
  await docker(['run', '-d', '--name', name, '--label', LABEL, '--add-host', `${HOST}:host-gateway`, '--read-only', '--tmpfs', '/tmp:exec', '--memory', '4g', BUILDER, 'sleep', '3600'])
  const inside = (command: string, input?: Buffer) => execa(
    'docker', ['exec', '-i', ...Object.entries({ ...lab.index(muslin, '/finished/simple/'), HOME: '/tmp' }).flatMap(([key, value]) => ['--env', `${key}=${value}`]), name, 'sh', '-euc', command],
    { env: cleanEnv(), extendEnv: false, all: true, ...(input === undefined ? { stdin: 'ignore' as const } : { input }) },
  )
  await inside('python3 -m venv --without-pip /tmp/venv; python3 -m pip --python /tmp/venv/bin/python install -q setuptools')
  let best = Infinity
  for (const { filename, bytes } of sdists) {
    await inside(`cat > /tmp/${filename}`, bytes)
    const start = Date.now()
    await inside(`python3 -m pip --python /tmp/venv/bin/python wheel -q --no-build-isolation --no-deps --no-index --no-cache-dir -w /tmp/out /tmp/${filename}`)
    best = Math.min(best, (Date.now() - start) / 1000)
  }
  return best
}
