/** pip downloads one wheel after the other, but asks for all METADATA first: so the builds of ten promised wheels run side by side. */
import assert from 'node:assert/strict'
import { CLEAN, type Check, type Lab } from '../lab.ts'
import { greatestOverlap } from '../overlap.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const WHEELS = 10
const BUILD_SECONDS = 20
const SLOTS = 4
/** Three rounds of four slots are three tenths of ten builds; the rest is the client's own. Of the sleeps alone it would be a bound on how busy the machine is: each build takes seconds beside its sleep. */
const MOST_OF_SUM = 0.4

export default async function parallel(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const muslin = await lab.muslin({ upstream: relay.url, args: ['--workers', String(SLOTS), '--worker-memory', '16g', '--limits-memory', '1g'] })
  for (const [name, staticMetadata] of [['told', true], ['untold', false]] as const) {
    const wanted = Array.from({ length: WHEELS }, (_, n) => `parallel-${name}-${n}`)
    for (const project of wanted) relay.add(await makeSdist({ project, staticMetadata, inBuild: `import time; time.sleep(${BUILD_SECONDS})` }))
    const what = staticMetadata ? 'whose sdists tell their METADATA' : 'whose METADATA takes a step of its own'
    await check(`pip install --no-deps -r of ${WHEELS} promised wheels of ${BUILD_SECONDS} s ${what}: ${SLOTS} at once, in less than ${MOST_OF_SUM} of the sum`, async () => {
      const script = 'cat > /tmp/r.txt && exec pip install -q --progress-bar off --no-deps -r /tmp/r.txt'
      const { code, output, seconds } = await lab.run(CLEAN, ['sh', '-c', script], { env: lab.index(muslin), input: `${wanted.join('\n')}\n`, seconds: 600 })
      assert.equal(code, 0, output)
      const builds = muslin.jobs().filter(({ kind, project }) => kind === 'build' && wanted.includes(project))
      assert.deepEqual(builds.map(({ project, state, attempts }) => [project, state, attempts]).toSorted(), wanted.map((project) => [project, 'built', 1]).toSorted())
      const sum = builds.reduce((total, { started_at, finished_at }) => total + ((finished_at ?? 0) - (started_at ?? 0)) / 1000, 0)
      console.log(`       ${seconds.toFixed(1)} s of ${sum.toFixed(1)} s: ${(seconds / sum).toFixed(2)}; of the sleeps alone ${(seconds / (WHEELS * BUILD_SECONDS)).toFixed(2)}`)
      assert.equal(greatestOverlap(builds), SLOTS)
      assert.ok(seconds < MOST_OF_SUM * sum, `${seconds} s of ${sum} s`)
    })
  }
}
