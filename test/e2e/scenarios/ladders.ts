/** A build that outlasts every client: how long uv and a pip behind nginx go on waiting, up to their last redirect, and what they end with. */
import assert from 'node:assert/strict'
import { reach } from '../../../src/domain/holding.ts'
import { cancelAll } from '../corpus/try-out.ts'
import { CLEAN, HOST, UV, type Check, type Lab, type Muslin } from '../lab.ts'
import { nginx } from '../nginx.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const BUILD_SECONDS = 3_000
/** What each request and each pause takes beyond its plan. */
const SLACK = 1.1

export default async function ladders(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  for (const project of ['ladder-pip', 'ladder-uv']) relay.add(await makeSdist({ project, inBuild: `import time; time.sleep(${BUILD_SECONDS})` }))
  const muslin = await lab.muslin({ upstream: relay.url, args: ['--workers', '2', '--limits-time', '2h', '--log-level', 'debug'] })
  const proxied = `http://${HOST}:${await nginx(lab, muslin)}/simple/`
  const pip = lab.run(CLEAN, ['pip', 'install', '-q', '--progress-bar', 'off', '--no-deps', 'ladder-pip'], { env: { ...lab.index(muslin), PIP_INDEX_URL: proxied }, seconds: BUILD_SECONDS })
  const uv = lab.run(UV, ['uv', 'pip', 'install', '--system', '--break-system-packages', '--no-deps', 'ladder-uv'], {
    env: { UV_DEFAULT_INDEX: `${muslin.inside}/simple/`, UV_NO_CACHE: '1' }, seconds: BUILD_SECONDS,
  })
  await check('uv waits as long as its redirects reach, and is told that the wheel is still being built', async () => ended(muslin, 'uv', await uv, 2))
  await check('so does pip behind nginx', async () => ended(muslin, 'pip', await pip, 1))
  await check('both builds go on', async () => {
    const builds = muslin.jobs().filter(({ kind }) => kind === 'build')
    assert.deepEqual(builds.map(({ state, attempts }) => [state, attempts]), [['running', 1], ['running', 1]])
    await cancelAll(muslin)
    await muslin.stop()
  })
}

function ended(muslin: Muslin, tool: 'pip' | 'uv', run: { code: number; output: string; seconds: number }, code: number): void {
  const told = reach({ client: { tool }, direct: false, holdLimitMs: undefined })
  const wheel = muslin.events('held').filter((event) => event.tool === tool && event.path.endsWith('.whl'))
  const urls = new Set(wheel.map(({ hop }) => hop)).size
  console.log(`       ${tool}: ${(run.seconds / 60).toFixed(1)} min, ${urls} URLs, ${wheel.length} requests; told are ${(told.ms / 60_000).toFixed(1)} min, ${told.urls} URLs, ${told.requests} requests`)
  console.log(`       ${run.output.trim().split('\n').at(-1)}`)
  assert.equal(run.code, code, run.output)
  assert.match(run.output, new RegExp(`ladder-${tool}.*still building|still building.*ladder-${tool}`, 's'))
  assert.equal(urls, told.urls)
  assert.ok(Math.abs(wheel.length - told.requests) <= told.urls, `${wheel.length} requests`)
  assert.ok(run.seconds * 1000 > told.ms / SLACK && run.seconds * 1000 < told.ms * SLACK, `${run.seconds} s`)
}
