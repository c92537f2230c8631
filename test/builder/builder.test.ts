import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createInterpreterImages } from '../../src/builder/builder.ts'
import { MuslinError } from '../../src/errors.ts'
import type { Clock, Engine } from '../../src/services/ports.ts'
import type { Answer } from './fake-engine.ts'
import { but, made, METADATA, pureWheel, rig, SETUP, TARGET, useBuilds, wantsMetadata, well, WHEEL } from './rig.ts'

useBuilds()

describe('a build', () => {
  test('ends with the wheel under its final name, and everything removed', async () => {
    const { builder, work, told, runs, open, log } = await rig(well)
    const outcome = await builder.build(work)
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.failure))
    expect(basename(outcome.value.wheel)).toBe('demo-1.0-2-cp313-cp313-musllinux_1_2_x86_64.whl')
    expect(await readdir(join(work.scratch, 'wheel'))).toEqual([basename(outcome.value.wheel)])
    expect(outcome.value).toMatchObject({ requiresPython: '>=3.9', metadata: Buffer.from(METADATA) })
    expect(told).toEqual(['plan', 'fetch', 'metadata', `metadata ${METADATA.length}`, 'build', 'repair', 'verify', 'try'])
    expect(open()).toBe(0)
    expect(runs.map(({ spec }) => [spec.image, spec.network, spec.user])).toEqual([
      ['builder', 'none', '1000:1000'], ['builder', 'fetch', '1000:1000'], ['clean', 'none', '1000:1000'],
    ])
    expect(outcome.record).toMatchObject({
      plan: { expected: 'pure' }, images: { builder: { digest: 'digest of builder' }, clean: { digest: 'digest of clean' } },
      environment: { SOURCE_DATE_EPOCH: '1700000000', MAX_JOBS: '1' },
      requirements: [{ filename: 'setuptools-80.0-py3-none-any.whl', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      verify: { native: false }, try: { modules: 1, notes: [] },
    })
    expect((outcome.record['steps'] as { step: string }[]).map(({ step }) => step)).toEqual(['plan', 'fetch', 'metadata', 'build', 'repair', 'verify', 'try'])
    expect(log()).toMatch(/verified: a pure wheel/)
  })

  test('of a static sdist tells its metadata before anything runs, and asks no hook for it', async () => {
    const pkgInfo = METADATA.replace('2.1', '2.2')
    const { builder, work, told, runs } = await rig(well, { sdist: { ...SETUP, 'demo-1.0/PKG-INFO': pkgInfo } })
    expect(await builder.build(work)).toMatchObject({ ok: true })
    expect(told.slice(0, 3)).toEqual(['plan', `metadata ${pkgInfo.length}`, 'fetch'])
    expect(wantsMetadata(runs[0]!)).toBe(false)
  })

  test('does not tell metadata that is known', async () => {
    const { builder, work, told } = await rig(well, { known: Buffer.from(METADATA) })
    expect(await builder.build(work)).toMatchObject({ ok: true })
    expect(told.filter((line) => line.startsWith('metadata '))).toEqual([])
  })

  const asksForCython: Answer = but('hooks.py ask', (_, run) => {
    run.files.set('muslin/answer.json', Buffer.from('{"requires": ["cython; python_version > \\"3\\""]}'))
    return {}
  })

  test('names the wheel that took the place of one which the backend will not have', async () => {
    const narrowed = 'setuptools-57.5-py3-none-any.whl'
    const { builder, work } = await rig((command, run) => {
      const asked = String(run.files.get('muslin/requirements.txt')).includes('cython')
      if (command.includes(' install ') && asked && !run.files.has(`muslin/wheels/${narrowed}`)) return { exitCode: 1, output: 'ERROR: No matching distribution found for setuptools<58\n' }
      const answer = asksForCython(command, run)
      if (command.includes('fetch.py') && asked) {
        run.files.delete('muslin/wheels/setuptools-80.0-py3-none-any.whl')
        run.files.set(`muslin/wheels/${narrowed}`, Buffer.from('an older wheel'))
      }
      return answer
    })
    const outcome = await builder.build(work)
    expect(outcome).toMatchObject({ ok: true })
    expect((outcome.record['requirements'] as { filename: string }[]).map(({ filename }) => filename)).toEqual([narrowed])
  })

  test('hands requirements over in a file, and fetches again what the wheels at hand do not satisfy', async () => {
    const { builder, work, runs, log } = await rig((command, run) => {
      const lacking = command.includes(' install ') && String(run.files.get('muslin/requirements.txt')).includes('cython') && !run.files.has('muslin/wheels/cython-3.1-py3-none-any.whl')
      if (command.includes('fetch.py') && String(run.files.get('muslin/requirements.txt')).includes('cython')) run.files.set('muslin/wheels/cython-3.1-py3-none-any.whl', Buffer.from('a wheel'))
      return lacking ? { exitCode: 1, output: 'ERROR: No matching distribution found for cython\n' } : asksForCython(command, run)
    })
    expect(await builder.build(work)).toMatchObject({ ok: true, record: { requirements: [{ filename: 'cython-3.1-py3-none-any.whl' }, { filename: 'setuptools-80.0-py3-none-any.whl' }] } })
    const fetches = runs.filter(({ spec }) => spec.network === 'fetch')
    expect(fetches.map(({ files }) => String(files.get('muslin/requirements.txt')))).toEqual(['setuptools>=40.8.0\n', 'setuptools>=40.8.0\ncython; python_version > "3"\n'])
    expect(fetches[1]?.commands[0]).toEqual(expect.arrayContaining(['http://muslin:8080/finished/simple/']))
    expect(fetches.flatMap(({ commands }) => commands.flat()).join(' ')).not.toContain('cython')
    expect(log()).toContain('they do not: the others are fetched')
  })

  test('fetches nothing again where the wheels at hand satisfy what the backend asks for', async () => {
    const { builder, work, runs } = await rig(asksForCython)
    expect(await builder.build(work)).toMatchObject({ ok: true })
    expect(runs.filter(({ spec }) => spec.network === 'fetch')).toHaveLength(1)
    const installs = runs[0]!.commands.filter((command) => command.includes('install'))
    expect(installs).toHaveLength(2)
    expect(installs.every((command) => command.includes('--no-index'))).toBe(true)
  })

  test('is unpacked while its wheels are fetched', async () => {
    const stop = new AbortController()
    const { builder, work, runs, open } = await rig(but('fetch.py', () => undefined), { signal: stop.signal })
    const building = builder.build(work)
    await until(() => runs.some(({ commands }) => commands.some((command) => command.includes('unpack'))))
    stop.abort(new Error('enough'))
    await expect(building).rejects.toThrow('enough')
    expect(open()).toBe(0)
  })

  test('that fails in one run ends the other too', async () => {
    const { builder, work, open } = await rig((command, run) => {
      if (command.includes('fetch.py')) return undefined
      return command.includes('hooks.py unpack') ? { exitCode: 1, output: 'tarfile.ReadError' } : well(command, run)
    })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'bad-sdist' } })
    expect(open()).toBe(0)
  })
})

describe('metadata alone', () => {
  test('is asked of the hook, without a compile', async () => {
    const { builder, work, told, runs } = await rig(well)
    expect(await builder.metadata(work)).toMatchObject({ ok: true, value: { metadata: Buffer.from(METADATA) } })
    expect(told).toEqual(['plan', 'fetch', 'metadata'])
    expect(runs.map(({ spec }) => spec.image)).toEqual(['builder', 'builder'])
  })

  test('of a static sdist needs no engine', async () => {
    const { builder, work, runs, asked } = await rig(well, { sdist: { ...SETUP, 'demo-1.0/PKG-INFO': METADATA.replace('2.1', '2.2') } })
    expect(await builder.metadata(work)).toMatchObject({ ok: true })
    expect([runs, asked]).toEqual([[], []])
  })

  test('of a backend without the hook comes from its wheel', async () => {
    const { builder, work } = await rig(but('hooks.py ask', (_, run) => { run.files.set('muslin/answer.json', Buffer.from('{"requires": [], "metadata": null}')); return {} }))
    expect(await builder.metadata(work)).toMatchObject({ ok: true, value: { metadata: Buffer.from(METADATA) } })
  })
})

describe('a failure', () => {
  test.each<[string, Answer, object]>([
    ['a header', but('hooks.py build', () => ({ exitCode: 1, output: 'x.c:1:10: fatal error: ffi.h: No such file or directory\n' })), { class: 'missing-header', key: 'ffi.h' }],
    ['the kernel says so, whatever the words', but('hooks.py build', (_, run) => { run.oomKills = 1; return { exitCode: 1, output: 'fatal error: ffi.h: No such file' } }), { class: 'out-of-memory', key: 'build, 1024 MiB' }],
    ['the engine says that the disk is full', but('hooks.py build', (_, run) => { run.exceeded = 'disk'; return { exitCode: 137 } }), { class: 'out-of-disk', key: expect.stringMatching(/^build, \d+ MiB$/) }],
    ['the engine says that it forked without end', but('hooks.py build', (_, run) => { run.exceeded = 'processes'; return { exitCode: 137 } }), { class: 'build-failed', key: 'all 512 processes in use' }],
    ['no wheel', but('hooks.py build', () => ({})), { class: 'wrong-wheel', key: 'no wheels came out' }],
    ['two wheels', but('hooks.py build', (_, run) => { run.files.set('muslin/out/a.whl', made.wheel).set('muslin/out/b.whl', made.wheel); return {} }), { class: 'wrong-wheel', key: '2 wheels came out' }],
    ['no zip file', but('hooks.py build', (_, run) => { run.files.set(`muslin/out/${WHEEL}`, Buffer.from('no zip')); return {} }), { class: 'wrong-wheel' }],
    ['a platform without native code', but('hooks.py build', (_, run) => { run.files.set('muslin/out/demo-1.0-cp313-cp313-linux_x86_64.whl', made.wheel); return {} }), { class: 'pure-fallback' }],
    ['a requirement without a wheel', but('fetch.py', () => ({ exitCode: 1, output: 'ERROR: No matching distribution found for setuptools>=40.8.0\n' })), { class: 'build-requirement-unbuildable', key: 'setuptools>=40.8.0' }],
    ['an answer that is no JSON', but('hooks.py ask', (_, run) => { run.files.set('muslin/answer.json', Buffer.from('{')); return {} }), { class: 'build-failed' }],
    ['a crash on the clean image', but('try.py', (_, run) => { run.files.set('muslin/answer.json', Buffer.from('[{"module":"demo","outcome":"signal","message":"SIGSEGV"}]')); return {} }), { class: 'try-failed', key: 'import demo ends with SIGSEGV' }],
    ['the engine dies', but('hooks.py ask', () => { throw new MuslinError('engine-unavailable', 'no daemon answers') }), { class: 'infrastructure', key: 'no daemon answers' }],
    ['no process is left', but('hooks.py ask', () => { throw new MuslinError('engine-unavailable', '"docker exec" failed: sh: 1: Cannot fork') }), { class: 'build-failed', key: 'all 512 processes in use' }],
  ])('%s', async (_, answer, failure) => {
    const { builder, work, open } = await rig(answer)
    const outcome = await builder.build(work)
    expect(outcome).toMatchObject({ ok: false, failure })
    expect(outcome.record['steps']).not.toEqual([])
    expect(open()).toBe(0)
  })

  /** A fetch of these requirements ends without a word of ours on why. */
  const unfetched = (requirement: string): Answer => (command, run) =>
    command.includes('fetch.py') && String(run.files.get('muslin/requirements.txt')).includes(requirement) ? { exitCode: 1, output: 'RuntimeError: odd\n' } : well(command, run)

  test.each<[string, Answer, object]>([
    ['a fetch in step fetch', unfetched('setuptools'), { class: 'infrastructure', key: 'RuntimeError: odd' }],
    ['a fetch in step metadata', (command, run) => {
      if (command.includes(' install ') && String(run.files.get('muslin/requirements.txt')).includes('cython')) return { exitCode: 1 }
      if (!command.includes('hooks.py ask')) return unfetched('cython')(command, run)
      run.files.set('muslin/answer.json', Buffer.from('{"requires": ["cython"]}'))
      return {}
    }, { class: 'infrastructure', key: 'RuntimeError: odd' }],
    ['a fetch in step try', (command, run) => {
      if (!command.includes('hooks.py build')) return unfetched('kind')(command, run)
      run.files.set(`muslin/out/${WHEEL}`, made.needy)
      return {}
    }, { class: 'infrastructure', key: 'RuntimeError: odd' }],
    ['a fetch out of memory', but('fetch.py', (_, run) => { run.oomKills = 1; return { exitCode: 137 } }), { class: 'out-of-memory', key: expect.stringMatching(/^fetch, /) }],
    ['an sdist unpacked beside the fetch', but('hooks.py unpack', (_, run) => { run.oomKills = 1; return { exitCode: 137 } }), { class: 'out-of-memory', key: 'metadata, 1024 MiB' }],
  ])('by what a run is for: %s', async (_, answer, failure) => {
    const { builder, work } = await rig(answer)
    expect(await builder.build(work)).toMatchObject({ ok: false, failure })
  })

  const shell = (name: string) => () => ({ exitCode: 127, output: `sh: exec: line 0: ${name}: not found\n` })

  test('a builder image without auditwheel', async () => {
    const { builder, work } = await rig((command, run) => {
      if (command.startsWith('auditwheel ')) return shell('auditwheel')()
      if (!command.includes('hooks.py build')) return well(command, run)
      run.files.set('muslin/out/demo-1.0-cp313-cp313-linux_x86_64.whl', made.native)
      return {}
    })
    const outcome = await builder.build(work)
    expect(outcome).toMatchObject({ ok: false, failure: { class: 'missing-command', key: 'auditwheel' } })
    expect((outcome.record['steps'] as { step: string }[]).at(-1)).toMatchObject({ step: 'repair' })
  })

  test.each([['hooks.py unpack'], ['fetch.py']])('a builder image without Python, first seen at %s', async (command) => {
    const { builder, work } = await rig(but(command, shell('python3')))
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'missing-command', key: 'python3' } })
  })

  test('native by its plan, pure by its wheel', async () => {
    const { builder, work } = await rig(well, { sdist: { 'demo-1.0/setup.py': 'setup(ext_modules=[Extension("a", ["a.c"])])', 'demo-1.0/a.c': '' } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'pure-fallback' } })
  })

  test('a pure wheel where the upstream has one that fits, unless its recipe wants that', async () => {
    const failed = await rig(well, { nativeOnly: true })
    expect(await failed.builder.build(failed.work)).toMatchObject({ ok: false, failure: { class: 'pure-fallback' } })
    const wanted = await rig(well, { nativeOnly: true, recipe: { expected: 'pure' } })
    expect(await wanted.builder.build(wanted.work)).toMatchObject({ ok: true })
  })

  test('a bad sdist, before anything runs', async () => {
    const { builder, work, runs } = await rig(well, { sdist: { 'demo-1.0/README': '' } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'bad-sdist' } })
    expect(runs).toEqual([])
  })

  test.each<[string, MuslinError, object]>([
    ['is gone from the upstream', new MuslinError('no-such-file', 'its page names the file, but it is gone there'), { class: 'no-sdist', key: '' }],
    ['cannot be had just now', new MuslinError('upstream-timeout', 'the upstream is silent'), { class: 'infrastructure', key: 'the upstream is silent' }],
  ])('an sdist that %s', async (_, error, failure) => {
    const { builder, work, runs } = await rig(well)
    expect(await builder.build({ ...work, sdist: () => Promise.reject(error) })).toMatchObject({ ok: false, failure })
    expect(runs).toEqual([])
  })

  test('a requirement that is a URL never reaches pip', async () => {
    const pyproject = '[build-system]\nrequires = ["foo @ https://evil.example/x.tar.gz"]\nbuild-backend = "x"'
    const { builder, work, runs } = await rig(well, { sdist: { 'demo-1.0/pyproject.toml': pyproject } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'build-requirement-unbuildable', key: 'foo' } })
    expect(runs).toEqual([])
  })
})

test.each([[2 ** 29, 2 ** 29], [2 ** 32, 2 ** 30], [2 ** 33, 2 ** 31]])('of %d bytes of memory what fetches gets %d', async (memory, share) => {
  const { builder, work, runs } = await rig(well, { memory })
  expect(await builder.build(work)).toMatchObject({ ok: true })
  expect(runs.map(({ spec }) => [spec.network, spec.limits.memoryBytes])).toEqual([['none', memory], ['fetch', share], ['none', memory]])
})

test('nothing is tried until the run that compiled has given its memory back', async () => {
  const { builder, work, runs, engine } = await rig(well)
  const create = engine.create
  const removals: (() => void)[] = []
  engine.create = async (spec) => {
    const run = await create(spec)
    const remove = run.remove
    return { ...run, remove: async () => { await new Promise<void>((resolve) => { removals.push(resolve) }); return remove() } }
  }
  let tried = false
  const building = builder.build({ ...work, onStep: async (step) => { tried ||= step === 'try' } })
  await until(() => tried)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  expect(runs.map(({ spec, commands }) => [spec.image, commands.length > 0])).toEqual([['builder', true], ['builder', true], ['clean', false]])
  const pump = setInterval(() => { for (const remove of removals.splice(0)) remove() })
  expect(await building.finally(() => clearInterval(pump))).toMatchObject({ ok: true })
  expect(runs.map(({ spec }) => spec.image)).toEqual(['builder', 'builder', 'clean'])
})

describe('with interpreters of this machine', () => {
  const interpreters = (clean: boolean) => (engine: Engine, clock: Clock) => createInterpreterImages({
    engine, targets: [TARGET], cpu: 'x86_64', clock, log: pino({ level: 'silent' }),
    interpreters: [
      { executable: 'glibc-python', minor: '3.13', libc: 'glibc', headers: true, complete: true }, ...(clean ? [{ executable: 'musl-python', minor: '3.13', libc: 'musl' as const, headers: false, complete: true }] : []),
    ],
  })
  const compiled: Answer = but('hooks.py build', (_, run) => {
    run.files.set('muslin/out/demo-1.0-cp313-cp313-linux_x86_64.whl', made.native)
    return {}
  })

  test('nothing is bundled, and what tries a wheel fetches for it', async () => {
    const { builder, work, runs, log } = await rig(but('hooks.py build', (_, run) => { run.files.set(`muslin/out/${WHEEL}`, made.needy); return {} }), { images: interpreters(true) })
    expect(await builder.build(work)).toMatchObject({ ok: true, record: { try: { modules: 1 }, environment: { CC: 'cc', CXX: 'c++' } } })
    expect(runs.map(({ spec }) => `${spec.image}, ${spec.network}`).sort()).toEqual(['glibc-python for c, fetch', 'glibc-python for c, none', 'musl-python, fetch', 'musl-python, none'])
    expect(log()).not.toMatch(/auditwheel/)
  })

  test('without a Python of musl the wheel is not tried, and that is said', async () => {
    const { builder, work, told, log, runs } = await rig(compiled, { images: interpreters(false) })
    expect(await builder.build(work)).toMatchObject({ ok: true, record: { try: { notTried: 'no Python 3.13 that runs on musl is at hand' }, verify: { native: true } } })
    expect(told.at(-1)).toBe('verify')
    expect(log()).toMatch(/the wheel is not tried: no Python 3\.13/)
    expect(runs.flatMap(({ commands }) => commands).filter(([program]) => program === 'auditwheel')).toEqual([])
  })

  test.each<[string, string, Record<string, string>]>([
    ['Rust', '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"', { 'demo-1.0/src/lib.rs': '' }],
    ['Fortran', '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"', { 'demo-1.0/meson.build': 'project(\'demo\', \'c\', \'fortran\')' }],
  ])('%s is refused before anything runs', async (key, pyproject, files) => {
    const { builder, work, runs, asked } = await rig(well, { images: interpreters(true), sdist: { 'demo-1.0/pyproject.toml': pyproject, ...files } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'unsupported-language', key } })
    expect([runs, asked]).toEqual([[], []])
  })

  test('C++ is asked for where the sdist holds some', async () => {
    const { builder, work, asked } = await rig(compiled, { images: interpreters(false), sdist: { ...SETUP, 'demo-1.0/a.cpp': '' } })
    expect(await builder.build(work)).toMatchObject({ ok: true })
    expect(asked).toMatchObject([{ compiles: { languages: 'c++' } }])
  })
})

test('a build that takes too long is stopped and removed', async () => {
  const { builder, work, clock, runs, open } = await rig(but('hooks.py build', () => undefined))
  const building = builder.build(work)
  await clock.began(60_000)
  await until(() => runs.some(({ commands }) => commands.some((command) => command.includes('build'))))
  await clock.advance(60_000)
  expect(await building).toMatchObject({ ok: false, failure: { class: 'timed-out', key: '60 s' } })
  expect(open()).toBe(0)
})

test('a build whose code stops what carries its files out ends at its time too', async () => {
  let asked = false
  const stopped = new Readable({ read: () => { asked = true } })
  const { builder, work, clock, open } = await rig(but('hooks.py build', (command, run) => { run.tar = stopped; return well(command, run) }))
  const building = builder.build(work)
  await clock.began(60_000)
  await until(() => asked)
  await clock.advance(60_000)
  expect(await building).toMatchObject({ ok: false, failure: { class: 'timed-out', key: '60 s' } })
  expect([open(), stopped.destroyed]).toEqual([0, true])
})

test('a job that is taken away throws the reason, with nothing left behind', async () => {
  const stop = new AbortController()
  const { builder, work, open } = await rig(but('hooks.py ask', () => { stop.abort(new Error('the lease was lost')); return {} }), { signal: stop.signal })
  await expect(builder.build(work)).rejects.toThrow('the lease was lost')
  expect(open()).toBe(0)
})

test.each<[string, (crawling: Readable, stop: AbortSignal) => Promise<Readable>, boolean]>([
  ['has not begun', () => new Promise<never>(() => undefined), false],
  ['begins only after that', async (crawling, stop) => { await once(stop, 'abort'); return crawling }, true],
  ['crawls', async (crawling) => crawling, true],
])('a job is taken away although its sdist %s', async (_, sdist, opened) => {
  const stop = new AbortController()
  const crawling = new Readable({ read: () => undefined })
  const { builder, work } = await rig(well, { signal: stop.signal })
  const building = builder.build({ ...work, sdist: () => {
    setImmediate(() => stop.abort(new Error('the lease was lost')))
    return sdist(crawling, stop.signal)
  } })
  await expect(building).rejects.toThrow('the lease was lost')
  if (opened) await until(() => crawling.destroyed)
})

test.each<[string, (crawling: Readable) => Promise<Readable>, boolean]>([
  ['does not begin', () => new Promise<never>(() => undefined), false],
  ['crawls', async (crawling) => crawling, true],
])('an sdist that %s ends its job by the time limit, to be tried again', async (_, sdist, opened) => {
  const crawling = new Readable({ read: () => undefined })
  const { builder, work, clock } = await rig(well)
  let asked = false
  const building = builder.build({ ...work, sdist: () => { asked = true; return sdist(crawling) } })
  await until(() => asked)
  await clock.advance(60_000)
  expect(await building).toMatchObject({ ok: false, failure: { class: 'infrastructure', key: 'its sdist did not arrive within 60 s' } })
  if (opened) expect(crawling.destroyed).toBe(true)
})

test('the time that an sdist takes to arrive is not the time of its build', async () => {
  const { builder, work, clock, runs } = await rig(but('hooks.py build', () => undefined))
  const building = builder.build({ ...work, sdist: async () => { await clock.advance(50_000); return work.sdist() } })
  await until(() => runs.some(({ commands }) => commands.some((command) => command.includes('build'))))
  await clock.advance(50_000)
  await clock.advance(10_000)
  expect(await building).toMatchObject({ ok: false, failure: { class: 'timed-out', key: '60 s' } })
})

test('wheels that do not come in time are no fault of the project', async () => {
  const { builder, work, clock, runs, open } = await rig(but('fetch.py', () => undefined))
  const building = builder.build(work)
  await until(() => runs.some(({ commands }) => commands.some((command) => command.join(' ').includes('fetch.py'))))
  await clock.advance(60_000)
  expect(await building).toMatchObject({ ok: false, failure: { class: 'infrastructure', key: expect.stringContaining('was not fetched within 60 s') as string } })
  expect(open()).toBe(0)
})

test('a wheel whose requirements have no wheels is tried without them', async () => {
  const needy = await pureWheel('absent')
  const { builder, work, runs, log } = await rig((command, run) => {
    if (command.includes('fetch.py') && String(run.files.get('muslin/requirements.txt')) === 'absent\n') {
      return { exitCode: 1, output: 'ERROR: No matching distribution found for absent\n' }
    }
    if (!command.includes('hooks.py build')) return well(command, run)
    run.files.set(`muslin/out/${WHEEL}`, needy)
    return {}
  })
  expect(await builder.build(work)).toMatchObject({ ok: true, record: { try: { withoutRequirements: 'absent' } } })
  expect(runs.find(({ spec }) => spec.image === 'clean')?.commands.find((command) => command.includes('install'))).toContain('--no-deps')
  expect(log()).toMatch(/tried without its requirements: no wheel is to be had of absent/)
})

test('a wheel never chooses by its requirements what is connected to', async () => {
  const needy = await pureWheel('mean @ http://10.0.0.1:22/x.whl', 'kind>=1')
  const { builder, work, runs } = await rig(but('hooks.py build', (_, run) => { run.files.set(`muslin/out/${WHEEL}`, needy); return {} }))
  expect(await builder.build(work)).toMatchObject({ ok: true, record: { try: { withoutRequirements: 'mean' } } })
  expect(runs.filter(({ spec }) => spec.network === 'fetch')).toHaveLength(1)
})

test('the requirements of a wheel are fetched as lines, those of extras by the extra only', async () => {
  const needy = await pureWheel('kind>=1', 'more; extra == "x"', 'mean @ http://10.0.0.1:22/x.whl ; extra == "x"')
  const { builder, work, runs } = await rig(but('hooks.py build', (_, run) => { run.files.set(`muslin/out/${WHEEL}`, needy); return {} }))
  expect(await builder.build(work)).toMatchObject({ ok: true, record: { try: { withoutRequirements: undefined } } })
  const fetched = runs.filter(({ spec }) => spec.network === 'fetch').at(-1)
  expect(String(fetched?.files.get('muslin/requirements.txt'))).toBe('kind>=1\nmore; extra == "x"\n')
  expect([...fetched?.files.keys() ?? []].filter((name) => name.includes('demo'))).toEqual([])
})

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise(setImmediate)
}
