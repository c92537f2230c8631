/** The server is killed while clients are held, in order and not, and is back after 3 s: nobody who waits notices. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLEAN, freePort, HOST, UV, type Check, type JobRow, type Lab, type LogLine, type Muslin } from '../lab.ts'
import { nginx } from '../nginx.ts'
import { portIs } from '../ports.ts'
import { startRelay, type Relay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

/** Longer than it takes until both clients are held, and than uv's first hold. */
const BUILD_SECONDS = 40
/** From when nobody listens until it listens again. uv's tries on a closed port are over after about twice as long. */
const AWAY_MS = 3_000
/** What a start that was faster than the one that was measured leaves of it. */
const AWAY_LEAST_MS = 2_000

export default async function restart(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const [data, port] = [join(await lab.folder(), 'data'), await freePort()]
  const start = () => lab.muslin({ upstream: relay.url, data, port, args: ['--workers', '4', '--log-level', 'debug'] })
  // The first start makes the database, and takes longer than those that follow.
  await (await start()).stop()
  const began = Date.now()
  let { muslin, opened } = await listening()
  const startMs = opened - began

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const moment of ['in their first holds', 'behind uv\'s first redirect'] as const) {
      const name = `restart-${signal.toLowerCase()}-${moment.split(' ').at(-1)}`
      await check(`${signal} while pip and uv are held, ${moment}, and back on the same port and data after ${AWAY_MS / 1000} s: both install`, async () => {
        const wanted = { pip: `${name}-pip`, uv: `${name}-uv` }
        for (const project of Object.values(wanted)) relay.add(await makeSdist({ project, inBuild: `import time; time.sleep(${BUILD_SECONDS})` }))
        const clients = [
          lab.run(CLEAN, ['sh', '-c', `pip install -q ${wanted.pip} && python3 -c 'import ${moduleOf(wanted.pip)}'`], { env: lab.index(muslin) }),
          lab.run(UV, ['sh', '-c', `uv pip install --system --break-system-packages ${wanted.uv} && python3 -c 'import ${moduleOf(wanted.uv)}'`], {
            env: { UV_DEFAULT_INDEX: `${muslin.inside}/simple/`, UV_NO_CACHE: '1' },
          }),
        ]
        const heldBy = (tool: string, least: number) => muslin.events('hold').some((event) => event.tool === tool && event.path.includes(name.replaceAll('-', '_')) && (event.hop ?? 0) >= least)
        const hop = moment === 'in their first holds' ? 0 : 1
        await muslin.until('both are held, and both builds sleep', () => heldBy('pip', 0) && heldBy('uv', hop) && asleep(Object.values(wanted)) || undefined)
        const met = runs(Object.values(wanted))
        // Asked to end, it gives its builds their grace while nobody is let in any more: the next one need not wait for that.
        const ended = muslin.kill(signal)
        if (signal === 'SIGKILL') await ended
        const closed = await portIs(port, 'closed')
        await sleep(Math.max(0, AWAY_MS - startMs))
        ;({ muslin, opened } = await listening())
        const away = opened - closed
        console.log(`       away for ${(away / 1000).toFixed(1)} s`)
        for (const run of await Promise.all(clients)) assert.equal(run.code, 0, run.output)
        await ended
        assert.ok(away >= AWAY_LEAST_MS, `it was away for ${away} ms only`)
        for (const [tool, project] of Object.entries(wanted)) await muslin.until(`${tool} came to the new process`, () => cameTo(muslin, tool, project) || undefined, 10)
        console.log(`       held after it: ${muslin.events('hold').map((event) => `${event.tool} by ${event.by}, hop ${event.hop}`).join('; ')}`)
        const builds = buildsOf(Object.values(wanted))
        assert.deepEqual(builds.map(({ state }) => state), ['built', 'built'])
        assert.ok(runs(Object.values(wanted)).every((run) => !met.includes(run)), 'the kill met no build')
      })
    }
  }

  await check('two web processes take turns behind a proxy, and one is killed meanwhile: both clients go on with the other', () => takingTurns(lab, relay))

  /** A new process, and when it began to listen. */
  async function listening(): Promise<{ muslin: Muslin; opened: number }> {
    const [muslin, opened] = await Promise.all([start(), portIs(port, 'open')])
    return { muslin, opened }
  }

  function buildsOf(projects: string[]): JobRow[] {
    return muslin.jobs().filter(({ kind, project }) => kind === 'build' && projects.includes(project))
  }

  function asleep(projects: string[]): boolean {
    return buildsOf(projects).filter(({ step }) => step === 'build').length === projects.length
  }

  /** A job that is begun again is another run. */
  function runs(projects: string[]): (number | null)[] {
    return buildsOf(projects).map(({ build }) => build)
  }
}

async function takingTurns(lab: Lab, relay: Relay): Promise<void> {
  const wanted = { pip: 'turns-pip', uv: 'turns-uv' }
  for (const project of Object.values(wanted)) relay.add(await makeSdist({ project, inBuild: `import time; time.sleep(${2 * BUILD_SECONDS})` }))
  const { web, worker } = await lab.pair(relay.url, ['--log-level', 'debug'])
  const other = await lab.muslin({ upstream: relay.url, data: web.data, args: ['--role', 'web', '--log-level', 'debug'] })
  const url = `http://${HOST}:${await nginx(lab, [web, other])}/simple/`
  const clients = [
    lab.run(CLEAN, ['sh', '-c', `pip install -q ${wanted.pip} && python3 -c 'import ${moduleOf(wanted.pip)}'`], { env: { ...lab.index(web), PIP_INDEX_URL: url } }),
    lab.run(UV, ['sh', '-c', `uv pip install --system --break-system-packages ${wanted.uv} && python3 -c 'import ${moduleOf(wanted.uv)}'`], { env: { UV_DEFAULT_INDEX: url, UV_NO_CACHE: '1' } }),
  ]
  const served = (one: Muslin, tool: string) => one.events('hold').filter((event) => event.tool === tool && event.path.includes('turns_')).length
  await web.until('both processes held both clients', () => [web, other].every((one) => served(one, 'pip') > 0 && served(one, 'uv') > 0) || undefined)
  await other.kill('SIGKILL')
  for (const run of await Promise.all(clients)) assert.equal(run.code, 0, run.output)
  console.log(`       held by the one: pip ${served(web, 'pip')} times, uv ${served(web, 'uv')}; by the other, until it was killed: ${served(other, 'pip')} and ${served(other, 'uv')}`)
  const builds = web.jobs().filter(({ kind, project }) => kind === 'build' && Object.values(wanted).includes(project))
  assert.deepEqual(builds.map(({ state, attempts }) => [state, attempts]), [['built', 1], ['built', 1]])
  await Promise.all([web.stop(), worker.stop()])
}

/** Whether a process held a tool for a project's wheel, or sent it. */
function cameTo(muslin: Muslin, tool: string, project: string): boolean {
  const isWheel = ({ path }: LogLine): boolean => path.includes(`/${project.replaceAll('-', '_')}-`) && path.endsWith('.whl')
  return muslin.events('hold').some((event) => event.tool === tool && isWheel(event)) || muslin.events('request').some((event) => event.status === 200 && event.method === 'GET' && isWheel(event))
}

function moduleOf(project: string): string {
  return `_${project.replaceAll('-', '_')}`
}
