/** Twenty pips and twenty uvs want the same ten wheels that nobody has built: each is built once, all forty end well, and the server is what it was before. */
import assert from 'node:assert/strict'
import { CLEAN, UV, type Check, type Lab, type Muslin } from '../lab.ts'
import { holds, MEASURED_MAIN, type Holds } from '../measured.ts'
import { greatestOverlap } from '../overlap.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const OF_EACH = 20
const WHEELS = 10
const BUILD_SECONDS = 20
const WORKERS = 2
/** What ten projects, their jobs and wheels may leave in caches. */
const MORE_BYTES = 12e6

export default async function many(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const wanted = Array.from({ length: WHEELS }, (_, n) => `many-${n}`)
  for (const project of wanted) relay.add(await makeSdist({ project, inBuild: `import time; time.sleep(${BUILD_SECONDS})` }))
  const warm = ['warm-pip', 'warm-uv']
  for (const project of warm) relay.add(await makeSdist({ project }))
  const muslin = await lab.muslin({ upstream: relay.url, main: MEASURED_MAIN, args: ['--workers', String(WORKERS)] })
  let before: Holds | undefined

  await check('one of each, before: what is loaded and opened once is there', async () => {
    for (const run of await Promise.all([pip(lab, muslin, warm.slice(0, 1)), uv(lab, muslin, warm.slice(1))])) assert.equal(run.code, 0, run.output)
    before = await settled(muslin, (now) => now.sockets <= 1)
    console.log(`       ${tell(before)}`)
  })

  await check(`${OF_EACH} pips and ${OF_EACH} uvs ask for ${WHEELS} promised wheels of ${BUILD_SECONDS} s, ${WORKERS} workers: all ${2 * OF_EACH} succeed`, async () => {
    const start = Date.now()
    const clients = Array.from({ length: OF_EACH }, () => [pip(lab, muslin, wanted), uv(lab, muslin, wanted)]).flat()
    // Sockets would not do: an installer has several.
    const held = () => new Set(muslin.events('hold').filter(({ path }) => path.includes('many_')).map(({ client, tool }) => `${tool} ${client}`))
    await muslin.until(`${2 * OF_EACH} clients were held`, () => held().size >= 2 * OF_EACH || undefined, 300)
    console.log(`       meanwhile ${tell(await holds(muslin))}`)
    const runs = await Promise.all(clients)
    for (const run of runs) assert.equal(run.code, 0, run.output.slice(-2000))
    for (const tool of ['pip', 'uv']) assert.equal([...held()].filter((one) => one.startsWith(`${tool} `)).length, OF_EACH, [...held()].join(', '))
    console.log(`       ${((Date.now() - start) / 1000).toFixed(0)} s, ${muslin.events('hold').length} holds`)
  })

  await check('each wheel was built once, as many at a time as there are workers', async () => {
    const builds = muslin.jobs().filter(({ kind, project }) => kind === 'build' && wanted.includes(project))
    assert.deepEqual(builds.map(({ project, state, attempts }) => [project, state, attempts]).toSorted(), wanted.map((project) => [project, 'built', 1]).toSorted())
    assert.ok(builds.every(({ started_at, finished_at }) => (finished_at ?? 0) - (started_at ?? 0) >= BUILD_SECONDS * 1000))
    assert.equal(greatestOverlap(builds), WORKERS)
  })

  await check('memory and handles return to where they were', async () => {
    assert.ok(before)
    const { files, sockets, bytes } = before
    const after = await settled(muslin, (now) => now.sockets <= sockets && now.files <= files && now.bytes <= bytes + MORE_BYTES)
    console.log(`       ${tell(after)}`)
  })
}

/** Connections that clients have left close in their own time. */
async function settled(muslin: Muslin, isSo: (now: Holds) => boolean): Promise<Holds> {
  let last: Holds | undefined
  return muslin.until('the server holds no more than it may', async () => {
    const now = await holds(muslin)
    return isSo(now) ? now : void (last = now)
  }, 120).catch((error: unknown) => { throw new Error(`it holds ${last && tell(last)}`, { cause: error }) })
}

function tell({ bytes, files, sockets }: Holds): string {
  return `${(bytes / 1e6).toFixed(1)} MB, ${files} files, ${sockets} sockets`
}

function pip(lab: Lab, muslin: Muslin, projects: string[]) {
  return lab.run(CLEAN, ['pip', 'install', '-q', '--progress-bar', 'off', ...projects], { env: lab.index(muslin), seconds: 900 })
}

function uv(lab: Lab, muslin: Muslin, projects: string[]) {
  const env = { UV_DEFAULT_INDEX: `${muslin.inside}/simple/`, UV_NO_CACHE: '1' }
  return lab.run(UV, ['uv', 'pip', 'install', '--system', '--break-system-packages', ...projects], { env, seconds: 900 })
}
