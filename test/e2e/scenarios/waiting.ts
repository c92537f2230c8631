/** A build that outlasts one hold: pip waits by 100s, pip behind nginx and uv by hops and 503s, and all get the wheel. */
import assert from 'node:assert/strict'
import { CLEAN, HOST, UV, type Check, type Lab } from '../lab.ts'
import { nginx } from '../nginx.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

/** Longer than uv's hold of 25 s and two of a proxied pip's. */
const BUILD_SECONDS = 35

export default async function waiting(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  relay.add(await makeSdist({ project: 'slow', inBuild: `import time; time.sleep(${BUILD_SECONDS})` }))
  const muslin = await lab.muslin({ upstream: relay.url, args: ['--log-level', 'debug'] })
  const proxied = await nginx(lab, muslin)
  const pip = ['pip', 'install', '-q', '--no-deps', 'slow']

  await check('pip directly, pip behind nginx and uv wait for the same build of 35 s, and all install it', async () => {
    const runs = await Promise.all([
      lab.run(CLEAN, pip, { env: lab.index(muslin) }),
      lab.run(CLEAN, pip, { env: { ...lab.index(muslin), PIP_INDEX_URL: `http://${HOST}:${proxied}/simple/` } }),
      lab.run(UV, ['uv', 'pip', 'install', '--system', '--break-system-packages', '--no-deps', 'slow'], { env: { UV_INDEX_URL: `${muslin.inside}/simple/`, UV_NO_CACHE: '1' } }),
    ])
    for (const run of runs) assert.equal(run.code, 0, run.output)
    assert.deepEqual(muslin.jobs().filter((job) => job.kind === 'build').map((job) => [job.state, job.attempts]), [['built', 1]])
  })
  await check('the direct pip was held once by 100s; nginx\'s pip and uv were sent on, and then back', async () => {
    const holds = muslin.events('held').filter(({ path }) => path.endsWith('.whl'))
    const endings = (tool: string, by: string) => holds.filter((event) => event.tool === tool && event.by === by).map(({ ended }) => ended)
    console.log(`       holds: pip directly ${endings('pip', '100s').join(', ')}; pip behind nginx ${endings('pip', 'hops').join(', ')}; uv ${endings('uv', 'hops').join(', ')}`)
    assert.deepEqual(endings('pip', '100s'), ['built'])
    assert.match(endings('pip', 'hops').join(' '), /^hop(?: retry)+ built$/)
    assert.match(endings('uv', 'hops').join(' '), /^hop(?: retry)* built$/)
  })
}
