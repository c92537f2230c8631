import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LockHashes } from '../../src/services/lock-views.ts'
import { createLockHasher, requireHashes } from '../../src/services/lock-hashes.ts'
import { createPlanner, type Planner } from '../../src/services/planner.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const OTHER = 'cp312-musllinux_1_2_x86_64'
const ROOT = 'https://muslin.example/'

let bench: IndexBench
let planner: Planner
beforeEach(async () => {
  bench = await makeIndexBench()
  bench.builder.ready.set(OTHER, 'image-1')
  planner = createPlanner({ ...bench, readyTargets: async () => bench.builder.ready, targets: [TARGET, OTHER], workers: 2 })
  for (const name of ['one', 'two']) bench.upstream.project(name, [file(`${name}-1.0.tar.gz`)])
  bench.upstream.project('pure', [file('pure-1.0-py3-none-any.whl')])
  bench.upstream.project('windows', [file('windows-1.0-cp313-cp313-win_amd64.whl')])
})
afterEach(() => bench.close())

/** The sha256 of the wheel. */
async function built(project: string, { number = 1, target = TARGET, sdist = sha256(`${project}-1.0.tar.gz`) } = {}): Promise<string> {
  const filename = `${project}-1.0-${number}-${target.replace('-', `-${target.split('-')[0]}-`)}.whl`
  await bench.wish({ kind: number === 1 ? 'build' : 'rebuild', project, version: '1.0', target, sdist: { sha256: sdist, filename: `${project}-1.0.tar.gz` } })
  const job = (await bench.store.jobs.claim('me', { kinds: ['build', 'rebuild'], targets: { [TARGET]: 'image-1', [OTHER]: 'image-1' } }, bench.clock.now(), bench.clock.now() + 60_000))!
  await bench.store.wheels.publish({
    sha256: sha256(filename), filename, size: 321, project, version: '1.0', target, sdist, number, metadata: 'e'.repeat(64), requiresPython: undefined, publishedAt: 0, build: job.build,
  }, { id: job.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
  return sha256(filename)
}

async function add(files: { name: string; text: string }[], targets = [TARGET]): Promise<LockHashes> {
  const made = await createLockHasher(bench).add(files, await planner.plan({ files, targets }), () => ROOT)
  expect(LockHashes.parse(made)).toEqual(made)
  return made
}

const requirement = (project: string, ...hashes: string[]) => `${project}==1.0 ${hashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`
const sdistOf = (project: string) => sha256(`${project}-1.0.tar.gz`)
const states = ({ lines }: LockHashes) => Object.fromEntries(lines.map(({ project, state }) => [project, state]))

test('each pin is told, and what was built is added', async () => {
  const wheel = await built('one')
  const text = requirement('one', sdistOf('one')) + requirement('two', sdistOf('two')) + requirement('pure', sha256('pure-1.0-py3-none-any.whl')) + requirement('windows', sha256('windows-1.0-cp313-cp313-win_amd64.whl'))
  const made = await add([{ name: 'requirements.txt', text }])
  expect(states(made)).toEqual({ one: 'added', two: 'to-build', pure: 'not-needed', windows: 'cannot' })
  expect(made.files).toEqual([{ name: 'requirements.txt', kind: 'requirements', added: 1, roots: [], note: null, text: expect.stringContaining(`--hash=sha256:${wheel}`) }])
  expect(made.lines[0]).toMatchObject({ sha256: wheel, filename: 'one-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl', line: 1, why: null })
  expect(made.lines[3]).toMatchObject({ why: expect.any(String), remedy: expect.any(String), sha256: null })

  const again = await add([{ name: 'requirements.txt', text: made.files[0]!.text }])
  expect(again.files[0]).toEqual({ ...made.files[0], added: 0 })
  expect(states(again)).toMatchObject({ one: 'listed', two: 'to-build' })
})

test('for each target, in each file, once', async () => {
  const wheels = [await built('one'), await built('one', { target: OTHER })]
  const files = ['a.txt', 'b.txt'].map((name) => ({ name, text: requirement('one', sdistOf('one')) + requirement('one', sdistOf('one')) }))
  const made = await add(files, [TARGET, OTHER])
  for (const { text, added } of made.files) {
    expect(added).toBe(2)
    for (const wheel of wheels) expect(text.split(wheel)).toHaveLength(3)
  }
})

test('URLs are told with their server', async () => {
  const wheel = await built('one')
  const text = `version = 1\n\n[[package]]\nname = "demo"\nversion = "0"\nsource = { virtual = "." }\ndependencies = [{ name = "one" }]\n\n[[package]]\nname = "one"\nversion = "1.0"\nsource = { registry = "https://upstream.example/simple" }\nsdist = { url = "https://upstream.example/one-1.0.tar.gz", hash = "sha256:${sdistOf('one')}" }\n`
  const [made] = (await add([{ name: 'uv.lock', text }])).files
  expect(made).toMatchObject({ kind: 'uv', added: 1, roots: [ROOT] })
  expect(made!.text).toContain(`url = "${ROOT}files/${wheel}/one-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl", hash = "sha256:${wheel}", size = 321`)
})

describe('a lock vouches for no more than its author did', () => {
  test('a wheel that was built from other bytes than it names is not added', async () => {
    await built('one')
    const made = await add([{ name: 'requirements.txt', text: requirement('one', sha256('a wheel of another platform')) }])
    expect(made.lines).toMatchObject([{ state: 'cannot', why: expect.stringMatching(/^the lock names no sdist that one-1\.0-1-.* was built from$/), remedy: expect.stringContaining('lock again') }])
    expect(made.files[0]).toMatchObject({ added: 0, text: requirement('one', sha256('a wheel of another platform')) })
  })

  test('one that it names without its sdist is listed', async () => {
    const wheel = await built('one')
    expect(states(await add([{ name: 'requirements.txt', text: requirement('one', wheel) }]))).toEqual({ one: 'listed' })
  })
})

test('what keeps it from another place of the lock is told with it', async () => {
  const wheel = await built('one')
  const text = requirement('one', sdistOf('one')) + requirement('one', sha256('another sdist'))
  const made = await add([{ name: 'requirements.txt', text }])
  expect(made.files[0]).toMatchObject({ added: 1, text: requirement('one', wheel, sdistOf('one')) + requirement('one', sha256('another sdist')) })
  const why = expect.stringMatching(/^the lock names no sdist that one-1\.0-1-.* was built from$/)
  expect(made.lines).toMatchObject([{ state: 'added', sha256: wheel, why }])
  expect((await add([{ name: 'requirements.txt', text: made.files[0]!.text }])).lines).toMatchObject([{ state: 'listed', sha256: wheel, why }])
})

describe('what is not read back is not handed out, and nobody is blamed for it', () => {
  const reject = async (name: string, text: string, root: string) => {
    const files = [{ name, text }]
    await built('one')
    const made = createLockHasher(bench).add(files, await planner.plan({ files, targets: [TARGET] }), () => root)
    await expect(made).rejects.toMatchObject({ code: 'internal', detail: expect.stringContaining(`put into ${name} are not read back`) })
  }

  test('since it stands where a value of an option does', () => reject('requirements.txt', `one==1.0 --config-settings="x --hash=sha256:${sdistOf('one')}" --hash="sha256:${sdistOf('one')}"\n`, ROOT))

  test('since the result is no lock', () => reject('pylock.toml', `lock-version = "1.0"\n\n[[packages]]\nname = "one"\nversion = "1.0"\nwheels = []\nsdist = { name = "one-1.0.tar.gz", hashes = { sha256 = "${sdistOf('one')}" } }\n`, 'https://muslin.example/\x7f/'))
})

test('of several builds the newest is added, beside the older one, which installers take until then', async () => {
  const older = await built('one')
  const newer = await built('one', { number: 2 })
  const made = await add([{ name: 'requirements.txt', text: requirement('one', sdistOf('one'), older) }])
  expect(made.lines).toMatchObject([{ state: 'added', sha256: newer, filename: 'one-1.0-2-cp313-cp313-musllinux_1_2_x86_64.whl' }])
  expect(made.files[0]!.text).toContain(older)
  const fresh = await add([{ name: 'requirements.txt', text: requirement('one', sdistOf('one')) }])
  expect(fresh.lines).toMatchObject([{ state: 'added', sha256: newer }])
  expect(fresh.files[0]!.text).not.toContain(older)
})

test('a file without hashes gets a note and nothing else, whatever the others have; alone it is refused', async () => {
  await built('one')
  const plain = { name: 'plain.txt', text: 'one==1.0\ntwo==1.0\n' }
  const made = await add([plain, { name: 'locked.txt', text: requirement('one', sdistOf('one')) }])
  expect(made.files).toMatchObject([{ added: 0, note: expect.stringContaining('it has no hashes'), text: plain.text }, { added: 1, note: null }])
  expect(made.lines.map(({ project, state }) => [project, state])).toEqual([['one', 'not-needed'], ['two', 'not-needed'], ['one', 'added']])
  expect(requireHashes(made)).toBe(made)
  const alone = await add([plain])
  expect(() => requireHashes(alone)).toThrow(expect.objectContaining({ code: 'bad-lock', detail: expect.stringMatching(/^plain\.txt: it has no hashes, .* Give a lock with hashes/) }))
})

test('two files of one name are refused', async () => {
  const twice = { name: 'requirements.txt', text: requirement('one', sdistOf('one')) }
  await expect(add([twice, twice])).rejects.toMatchObject({ code: 'bad-request', detail: expect.stringContaining('two files have the name requirements.txt') })
})
