import { generateKeyPairSync } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApks, type ImageApks } from '../../../src/builder/apk/install.ts'
import { createSession, type Session } from '../../../src/builder/session.ts'
import { parseApkIndex } from '../../../src/domain/apk-index.ts'
import { NO_RECIPE } from '../../../src/domain/recipe.ts'
import { MuslinError } from '../../../src/errors.ts'
import type { ApkBranches, BuildWork, Engine } from '../../../src/services/ports.ts'
import { manualClock } from '../../manual-clock.ts'
import { makeApk, type MadeApk } from '../../standin/apk/repository.ts'
import { temporaryFolder } from '../../storage/folder.ts'
import { fakeEngine, type FakeRun } from '../fake-engine.ts'

const KEY = { name: 'test.rsa.pub', privateKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
const IMAGE = { ref: 'builder', digest: 'sha256:builder' }
const MB = 1 << 20
const INDEX_URL = 'http://172.30.0.1:8080/prefix'

let apks: MadeApk[]
let scratch: Awaited<ReturnType<typeof temporaryFolder>>
let plan: string
let repositories: string
let index: string
let fails: Record<string, { exitCode: number; output: string }>
let derived: Map<string, FakeRun>
let unreachable: boolean
/** The repositories that answer that they have no index. */
let without: string[]
/** What an index waits for. */
let arriving: Promise<void>
let installed: string
beforeEach(async () => {
  scratch = await temporaryFolder()
  apks = await Promise.all([
    makeApk({ name: 'libffi', version: '3.4.4-r0', provides: ['so:libffi.so.8=8.1.2'] }, KEY),
    makeApk({ name: 'libffi-dev', version: '3.4.4-r0', origin: 'libffi', depends: ['libffi=3.4.4-r0'], provides: ['pc:libffi=3.4.4'] }, KEY),
    makeApk({ name: 'python3', version: '3.11-r0' }, KEY),
  ])
  plan = '(1/2) Installing libffi (3.4.4-r0)\n(2/2) Installing libffi-dev (3.4.4-r0)\n'
  repositories = 'https://alpine.example/alpine/v3.21/main\n@edge https://alpine.example/alpine/edge/testing\n'
  index = 'one'
  fails = {}
  derived = new Map()
  unreachable = false
  without = []
  arriving = Promise.resolve()
  installed = ''
})
afterEach(() => scratch.remove())

const branches: ApkBranches = {
  serve: async (urls) => urls.map((url) => `apk/${url.split('/').slice(-2).join('/')}`),
  index: async (paths, arch) => (await branches.indexes(paths, arch)).flatMap(({ entries }) => entries),
  async indexes(paths) {
    await arriving
    if (unreachable) throw new MuslinError('upstream-unreachable', 'alpine.example cannot be reached')
    const entries = apks.flatMap(({ fields }) => parseApkIndex(fields))
    return paths.filter((path) => !without.includes(path)).map((path) => ({ path, entries: path === 'apk/v3.21/main' ? entries : [], sha256: `${path} ${index}`, size: 5, open: async () => Readable.from([Buffer.from('index')]) }))
  },
}

function lab() {
  const fake = fakeEngine((command, run) => {
    const failing = Object.entries(fails).find(([words]) => command.includes(words))?.[1]
    if (failing) return failing
    if (command.includes('--print-arch')) return { output: 'x86_64\n' }
    if (command.includes('cat /etc/apk/repositories')) return { output: repositories }
    if (command.startsWith('apk list')) return { output: 'build-base-0.5-r3 x86_64 {build-base} (none) [installed]\nmusl-1.2.5-r0 x86_64 {musl} (MIT) [installed]\n' + installed }
    if (command.includes('--simulate')) return { output: plan }
    if (command.startsWith('apk fetch')) for (const name of command.split(' -- ')[1]?.split(' ') ?? []) {
      const apk = apks.find(({ filename }) => filename.startsWith(`${name}-3`))
      if (apk) run.files.set(`muslin/apks/${apk.filename}`, apk.bytes)
    }
    if (command.startsWith('apk info')) return { exitCode: 1, output: 'ERROR: /lib/libffi.so.8: Could not find owner package\n/usr/lib/libffi.so.8 is owned by libffi-3.4.4-r0\n' }
    return {}
  })
  const making = new Map<string, Promise<{ ref: string; digest: string }>>()
  const derive: Engine['derive'] = (base, key, make) => {
    const once = async () => {
      const run = await fake.engine.create({ image: base, label: key, user: '0:0', network: 'none', limits: { cpu: 1, memoryBytes: MB, diskBytes: MB, processes: 1 }, writable: ['/tmp'], system: true })
      const seen = fake.runs.at(-1) as FakeRun
      try {
        await make(run)
        derived.set(key, seen)
        return { ref: `${base} + ${key.slice(0, 12)}`, digest: key }
      } catch (error) {
        making.delete(key)
        throw error
      } finally {
        await run.remove()
      }
    }
    const made = making.get(key) ?? once()
    making.set(key, made)
    return made
  }
  const engine: Engine = { ...fake.engine, derive }
  return { ...fake, engine, apks: createApks({ engine, branches }), commands: () => fake.runs.flatMap((run) => run.commands.map((command) => command.join(' '))) }
}

function session(engine: Engine, signal = new AbortController().signal, more: Partial<BuildWork> = {}, clock = manualClock()): Session {
  const work = {
    job: { id: 1, project: 'p', version: '1', target: 't', sdist: { filename: 'p-1.tar.gz', sha256: '' } }, recipe: NO_RECIPE, limits: { cpu: 1, memory: 64 * MB, disk: MB, time: 60 },
    log: { write: () => undefined, close: async () => undefined }, onStep: async () => undefined, scratch: scratch.folder, signal, ...more,
  } as unknown as BuildWork
  return createSession({ engine, clock, work })
}

async function begin(at = lab()): Promise<ReturnType<typeof lab> & { image: ImageApks; one: Session }> {
  const one = session(at.engine)
  const image = await at.apks.of(one, IMAGE)
  if (!image) throw new Error('no apks')
  return { ...at, image, one }
}

describe('an image', () => {
  test('is looked at once: its CPU, and its repositories without tags', async () => {
    const { image, apks: made, one, runs } = await begin()
    expect(image).toMatchObject({ arch: 'x86_64', repositories: ['apk/v3.21/main'] })
    await made.of(one, IMAGE)
    expect(runs.map(({ spec }) => [spec.network, spec.user])).toEqual([['none', '1000:1000']])
  })

  test.each([['no apk', '--print-arch', 127], ['odd words for a CPU', '--print-arch', 0]])('with %s has nothing to add', async (_, words, exitCode) => {
    fails[words] = { exitCode, output: 'what?\n' }
    const { engine, apks: made } = lab()
    expect(await made.of(session(engine), IMAGE)).toBeUndefined()
  })

  test('without repositories on a network has nothing to add, nor has any on an engine that installs nothing', async () => {
    repositories = '/media/cdrom/apks\n'
    const { engine, apks: made } = lab()
    expect(await made.of(session(engine), IMAGE)).toBeUndefined()
    const { derive: _, ...plain } = engine
    expect(await createApks({ engine: plain, branches }).of(session(plain), IMAGE)).toBeUndefined()
  })

  test('whose repositories were never reached, or have no index, cannot say what would help', async () => {
    const { image } = await begin()
    const find = () => image.find({ class: 'missing-header', key: 'ffi.h' })
    without = ['apk/edge/testing']
    expect(await find()).toEqual(['libffi-dev'])
    without = ['apk/v3.21/main']
    await expect(find()).rejects.toMatchObject({ code: 'upstream-refused', detail: expect.stringContaining('apkMirror') as string })
    unreachable = true
    await expect(find()).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })

  test('tells which apk its libraries are of', async () => {
    const { image, one } = await begin()
    const owners = await one.within({ image: 'builder', network: 'none' }, (box) => image.owners(box, ['/usr/lib/libffi.so.8', '/lib/libffi.so.8', '/usr/lib/../lib/libffi.so.8']))
    expect([...owners]).toEqual([['/usr/lib/libffi.so.8', { name: 'libffi', version: '3.4.4-r0' }], ['/usr/lib/../lib/libffi.so.8', { name: 'libffi', version: '3.4.4-r0' }]])
  })
})

describe('adding', () => {
  test('plans and fetches through Muslin as a plain user, and installs without a network as root', async () => {
    const { image, one, runs } = await begin()
    const { image: made, ...added } = await image.add(one, ['pc:libffi', 'nothing', '--allow-untrusted'], INDEX_URL)
    expect(added).toEqual({ added: [{ name: 'libffi', version: '3.4.4-r0' }, { name: 'libffi-dev', version: '3.4.4-r0' }], unknown: ['nothing', '--allow-untrusted'] })
    expect(made.digest).toMatch(/^apks [0-9a-f]{64}$/)
    const [, fetching, system] = runs
    expect(fetching?.spec).toMatchObject({ network: 'fetch', user: '1000:1000' })
    expect(fetching?.files.get('muslin/repositories')?.toString()).toBe('http://172.30.0.1:8080/prefix/apk/v3.21/main\n@edge http://172.30.0.1:8080/prefix/apk/edge/testing\n')
    expect(fetching?.commands.map((command) => command.slice(command.indexOf('--')))).toEqual([['--', 'libffi-dev'], ['--', 'libffi', 'libffi-dev']])
    expect(system?.spec).toMatchObject({ network: 'none', system: true })
    expect([...system?.files ?? []].map(([name]) => name).sort()).toEqual([
      'muslin/apk/edge/testing/x86_64/APKINDEX.tar.gz', 'muslin/apk/v3.21/main/x86_64/APKINDEX.tar.gz',
      'muslin/apk/v3.21/main/x86_64/libffi-3.4.4-r0.apk', 'muslin/apk/v3.21/main/x86_64/libffi-dev-3.4.4-r0.apk', 'muslin/repositories',
    ])
    expect(system?.files.get('muslin/repositories')?.toString()).toBe('/tmp/muslin/apk/v3.21/main\n@edge /tmp/muslin/apk/edge/testing\n')
    expect(system?.commands).toEqual([['apk', 'add', '--no-network', '--no-scripts', '--keys-dir', '/etc/apk/keys', '--repositories-file', '/tmp/muslin/repositories', '--', 'libffi-dev']])
    await one.end()
    expect(runs.every(({ removed }) => removed)).toBe(true)
  })

  test('what is all there costs nothing, and needs no repository', async () => {
    const { image, one, runs } = await begin()
    unreachable = true
    expect(await image.add(one, ['build-base', 'musl'], INDEX_URL)).toEqual({ image: IMAGE, added: [], unknown: [] })
    expect(runs).toHaveLength(1)
  })

  test('what is to be fresh is brought up to date although it is there, with all that was made with it', async () => {
    installed = 'libffi-3.4.3-r0 x86_64 {libffi} (MIT) [installed]\nlibffi-dev-3.4.3-r0 x86_64 {libffi} (MIT) [installed]\n'
    plan = '(1/2) Upgrading libffi (3.4.3-r0 -> 3.4.4-r0)\n(2/2) Upgrading libffi-dev (3.4.3-r0 -> 3.4.4-r0)\n'
    const at = lab()
    const one = session(at.engine, undefined, { fresh: ['libffi', 'gone'] })
    const image = await at.apks.of(one, IMAGE)
    expect(await image!.add(one, [], INDEX_URL)).toMatchObject({ added: [{ name: 'libffi', version: '3.4.4-r0' }, { name: 'libffi-dev', version: '3.4.4-r0' }], unknown: [] })
    const adds = at.commands().filter((command) => command.startsWith('apk add'))
    expect(adds).toHaveLength(2)
    for (const command of adds) expect(command).toMatch(/ --upgrade .* -- libffi libffi-dev$/)
    const plain = session(at.engine)
    expect(await (await at.apks.of(plain, IMAGE))!.add(plain, ['libffi-dev'], INDEX_URL)).toEqual({ image: IMAGE, added: [], unknown: [] })
    const nothing = session(at.engine, undefined, { fresh: [] })
    expect(await image!.add(nothing, [], INDEX_URL), 'the last wheel had nothing of them').toEqual({ image: IMAGE, added: [], unknown: [] })
  })

  test('the same again costs nothing; another index is planned anew, and the same apks are the same image', async () => {
    const { image, one, runs } = await begin()
    const first = await image.add(one, ['libffi-dev'], INDEX_URL)
    expect(await image.add(one, ['libffi-dev'], INDEX_URL)).toEqual(first)
    expect(runs).toHaveLength(3)
    index = 'two'
    expect(await image.add(one, ['libffi-dev'], INDEX_URL)).toEqual(first)
    expect(runs.slice(3).map(({ spec }) => spec.network)).toEqual(['fetch'])
    apks[0] = await makeApk({ name: 'libffi', version: '3.4.4-r1', provides: ['so:libffi.so.8=8.1.2'] }, KEY)
    plan = plan.replace('libffi (3.4.4-r0)', 'libffi (3.4.4-r1)')
    index = 'three'
    expect((await image.add(one, ['libffi-dev'], INDEX_URL)).image).not.toEqual(first.image)
  })

  test('two builds that need the same at once make it once; where one is stopped the other makes it', async () => {
    const at = await begin()
    const made = await Promise.all([at.image.add(at.one, ['libffi-dev'], INDEX_URL), at.image.add(session(at.engine), ['libffi-dev'], INDEX_URL)])
    expect(made[0]).toEqual(made[1])
    expect(at.runs.filter(({ spec }) => spec.system)).toHaveLength(1)
    index = 'two'
    apks[0] = await makeApk({ name: 'libffi', version: '3.4.4-r1' }, KEY)
    plan = plan.replace('libffi (3.4.4-r0)', 'libffi (3.4.4-r1)')
    const stopping = new AbortController()
    // The first hangs in its fetch.
    const hang = fakeEngine((command) => command.startsWith('apk fetch') ? undefined : { output: plan })
    const first = at.image.add(session({ ...at.engine, create: (spec) => spec.network === 'fetch' ? hang.engine.create(spec) : at.engine.create(spec) }, stopping.signal), ['libffi-dev'], INDEX_URL)
    const stopped = expect(first).rejects.toThrow('stopped')
    await expect.poll(() => hang.runs[0]?.commands.length).toBe(2)
    const second = at.image.add(at.one, ['libffi-dev'], INDEX_URL)
    await expect.poll(() => at.runs.filter(({ spec }) => spec.network === 'fetch').length).toBeGreaterThan(1)
    stopping.abort(new Error('stopped'))
    await stopped
    expect((await second).added[0]).toEqual({ name: 'libffi', version: '3.4.4-r1' })
  })

  test('a repository without an index is left out; where no other needs no tag nothing is built without what it was to have', async () => {
    repositories += 'https://alpine.example/alpine/v3.21/community\n'
    const { image, one, runs, engine } = await begin()
    without = ['apk/v3.21/community', 'apk/edge/testing']
    expect(await image.add(one, ['libffi-dev'], INDEX_URL)).toMatchObject({ added: [{ name: 'libffi' }, { name: 'libffi-dev' }], unknown: [] })
    const before = runs.length
    without = ['apk/v3.21/main', 'apk/v3.21/community']
    await expect(image.add(one, ['libffi-dev'], INDEX_URL)).rejects.toMatchObject({
      code: 'upstream-refused', detail: expect.stringMatching(/^no index for x86_64 in apk\/v3\.21\/main, apk\/v3\.21\/community; .*apkMirror/) as string,
    })
    expect(await image.add(session(engine, undefined, { fresh: [] }), [], INDEX_URL), 'a rebuild that is for no apk').toEqual({ image: IMAGE, added: [], unknown: [] })
    expect(runs).toHaveLength(before)
  })

  test('takes a time of its own, for slow indexes and for who makes the same image', async () => {
    const at = lab()
    const clock = manualClock()
    const one = session(at.engine, undefined, {}, clock)
    const made = createApks({ engine: { ...at.engine, derive: () => new Promise(() => undefined) }, branches })
    const image = await made.of(one, IMAGE)
    one.countTime()
    const arrived = Promise.withResolvers<void>()
    arriving = arrived.promise
    const found = image!.find({ class: 'missing-header', key: 'ffi.h' })
    await clock.advance(50_000)
    arrived.resolve()
    expect(await found).toEqual(['libffi-dev'])
    await clock.advance(50_000)
    expect(one.signal.aborted).toBe(false)
    const adding = expect(image!.add(one, ['libffi-dev'], INDEX_URL)).rejects.toMatchObject({ failure: { class: 'infrastructure', key: expect.stringContaining('not fetched within 60 s') as string } })
    await expect.poll(() => at.commands().filter((command) => command.includes('--simulate')).length).toBe(1)
    await clock.advance(10_000)
    await adding
    await one.end()
  })

  test('a second Python is refused, and nothing is fetched for it', async () => {
    plan = '(1/1) Installing python3 (3.11-r0)\n'
    const { image, one, commands } = await begin()
    await expect(image.add(one, ['libffi-dev'], INDEX_URL)).rejects.toMatchObject({ failure: { class: 'build-failed', key: expect.stringContaining('python3') } })
    expect(commands().filter((command) => command.startsWith('apk fetch'))).toEqual([])
  })

  test('a file that does not come, an index that changes all the time, and apk\'s own refusals each have their words', async () => {
    const { image, one } = await begin()
    const added = () => image.add(one, ['libffi-dev'], INDEX_URL)
    plan += '(3/3) Installing libffi (9-r0)\n'
    await expect(added()).rejects.toMatchObject({ failure: { class: 'infrastructure', key: expect.stringContaining('index') } })
    plan = '(1/1) Installing libffi-dev (3.4.4-r0)\n'
    fails['apk fetch'] = { exitCode: 0, output: '' }
    await expect(added()).rejects.toMatchObject({ failure: { class: 'infrastructure', key: 'apk fetch brought no libffi-dev-3.4.4-r0.apk' } })
    fails = { 'apk add --no-network': { exitCode: 2, output: 'ERROR: libffi-dev-3.4.4-r0: trying to overwrite usr/include/ffi.h owned by mine-1-r0.\n' } }
    await expect(added()).rejects.toMatchObject({ failure: { class: 'build-failed', key: expect.stringContaining('trying to overwrite') } })
    expect(derived.size).toBe(0)
    unreachable = true
    await expect(added()).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })
})
