/** With the upstream gone and after a restart, all that was served before still installs. */
import assert from 'node:assert/strict'
import { CLEAN, UV, type Check, type Lab } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

/** A pure wheel with a requirement, and a project that must be built. */
const WANTED = ['python-dateutil==2.9.0.post0', 'offline-native==1.0']

export default async function offline(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  relay.add(await makeSdist({ project: 'offline-native', staticMetadata: false }))
  const first = await lab.muslin({ upstream: relay.url })
  const pip = ['pip', 'install', '-q', ...WANTED]
  const uv = ['uv', 'pip', 'install', '--system', '--break-system-packages', ...WANTED]

  await check('a first install by pip and by uv', async () => {
    const byPip = await lab.run(CLEAN, pip, { env: lab.index(first) })
    assert.equal(byPip.code, 0, byPip.output)
    const byUv = await lab.run(UV, uv, { env: uvEnv(first.inside) })
    assert.equal(byUv.code, 0, byUv.output)
  })

  const asked = relay.requests.length
  await relay.close()
  await first.stop()
  const again = await lab.muslin({ upstream: relay.url, data: first.data, port: first.port })

  await check('the relay is closed and the server restarted: pip installs the same in a new container', async () => {
    const run = await lab.run(CLEAN, ['sh', '-c', `${pip.join(' ')} && python -c "import dateutil, _offline_native"`], { env: lab.index(again) })
    assert.equal(run.code, 0, run.output)
  })
  await check('and uv', async () => {
    const run = await lab.run(UV, uv, { env: uvEnv(again.inside) })
    assert.equal(run.code, 0, run.output)
  })
  await check('page and metadata are answered', async () => {
    const page = await fetch(`${again.url}/target/cp313-musllinux_1_2_x86_64/simple/offline-native/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
    assert.equal(page.status, 200)
    const { files } = (await page.json()) as { files: { filename: string; url: string; 'core-metadata'?: unknown }[] }
    const wheel = files.find((file) => file.filename.endsWith('.whl'))
    assert.ok(wheel?.['core-metadata'])
    const metadata = await fetch(`${new URL(wheel.url, page.url).href}.metadata`)
    assert.equal(metadata.status, 200)
    assert.match(await metadata.text(), /^Name: offline.native$/m)
  })
  await check('a project that nobody asked for is answered 502 or 504, not 404', async () => {
    const page = await fetch(`${again.url}/simple/never-seen-before/`)
    assert.ok([502, 504].includes(page.status), String(page.status))
  })
  await check('no build ran again, and the relay stayed closed', async () => {
    assert.equal(relay.requests.length, asked)
    assert.deepEqual(again.jobs().filter((job) => job.kind === 'build').map((job) => [job.state, job.attempts]), [['built', 1]])
  })
}

function uvEnv(inside: string): Record<string, string> {
  return { UV_INDEX_URL: `${inside}/simple/`, UV_NO_CACHE: '1' }
}
