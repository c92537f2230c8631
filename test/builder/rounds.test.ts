/** Rounds, recipes and what comes of a build besides its wheel, on an engine that answers by script. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Apks } from '../../src/builder/apk/install.ts'
import { Failed } from '../../src/builder/failed.ts'
import { readWheel } from '../../src/builder/wheel-file.ts'
import type { Failure } from '../../src/domain/failure.ts'
import { remedyOf } from '../../src/domain/remedy.ts'
import { MuslinError } from '../../src/errors.ts'
import { makeSbom } from '../../src/domain/sbom.ts'
import type { Outcome, Built, WheelSystem } from '../../src/services/ports.ts'
import { makeElf } from '../fixtures/make-elf.ts'
import type { Answer } from './fake-engine.ts'
import { but, made, rig, useBuilds, well, wheelOf, WHEEL } from './rig.ts'

useBuilds()

/** Apks by what they bring, such as `ffi.h`; an image's name tells what was added to it. `conflict`: what cannot be added. */
function apks(names: Record<string, string[]>, conflict?: string): Apks & { asked: string[][] } {
  const asked: string[][] = []
  const known = new Set(Object.values(names).flat())
  return {
    asked,
    of: async (_, image) => ({
      arch: 'x86_64', repositories: ['apk/v3.21/main'],
      find: async (failure: Failure) => names[failure.key] ?? [],
      add: async (_session, wanted) => {
        asked.push(wanted)
        if (conflict !== undefined && wanted.includes(conflict)) throw new Failed({ class: 'build-failed', key: `apk add (unable to select packages: ${conflict} conflicts)` })
        const added = wanted.filter((name) => known.has(name))
        const ref = `${image.ref} with ${added.join(' ')}`
        return { image: { ref, digest: `digest of ${ref}` }, added: added.map((name) => ({ name, version: '1.0-r0' })), unknown: wanted.filter((name) => !known.has(name)) }
      },
      owners: async (_box, paths) => new Map(paths.filter((path) => path.startsWith('/usr/lib/libffi')).map((path) => [path, { name: 'libffi', version: '3.4.6-r0' }])),
    }),
  }
}

/** Of an image whose repositories, or whose engine, fail as names are looked for. */
function findFails(error: MuslinError): Apks & { asked: string[][] } {
  const working = apks({})
  return { ...working, of: async (...given) => ({ ...(await working.of(...given))!, find: async () => { throw error } }) }
}

/** Builds only in an image to which all of these were added; says of the first that is absent that its header is missing. */
const wants = (headers: Record<string, string>): Answer => but('hooks.py build', (command, run) => {
  const absent = Object.entries(headers).find(([, apk]) => !run.spec.image.includes(apk))
  return absent ? { exitCode: 1, output: `x.c:1:10: fatal error: ${absent[0]}: No such file or directory\n` } : well(command, run)
})

function built(outcome: Outcome<Built>): Built {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.failure))
  return outcome.value
}

describe('a build that misses something', () => {
  test('is begun again with the apk that has it, and what it learnt is told', async () => {
    const { builder, work, log, told, runs, open } = await rig(wants({ 'ffi.h': 'libffi-dev' }), { apks: apks({ 'ffi.h': ['libffi-dev', 'other-dev'] }) })
    const outcome = await builder.build(work)
    const failure = { class: 'missing-header', key: 'ffi.h' }
    expect(built(outcome).learnt).toEqual({ recipe: { apks: ['libffi-dev'] }, evidence: [{ failure, remedy: 'adds the apk libffi-dev, for header ffi.h' }] })
    expect(outcome.record).toMatchObject({ apks: [{ name: 'libffi-dev', version: '1.0-r0' }], rounds: [{ failure, told: 'adds the apk libffi-dev, for header ffi.h' }] })
    expect(log()).toContain('Muslin: round 2 of at most 4: adds the apk libffi-dev, for header ffi.h\n')
    // The wheels of the first round are at hand, and METADATA was told.
    expect(runs.map(({ spec }) => `${spec.image}, ${spec.network}`)).toEqual(['builder, none', 'builder, fetch', 'builder with libffi-dev, none', 'clean, none'])
    expect(told.filter((line) => line.startsWith('metadata '))).toHaveLength(1)
    expect(open()).toBe(0)
  })

  test('gets three more rounds, and ends with what is missing then', async () => {
    const names = { 'a.h': ['a-dev'], 'b.h': ['b-dev'], 'c.h': ['c-dev'], 'd.h': ['d-dev'] }
    const three = await rig(wants({ 'a.h': 'a-dev', 'b.h': 'b-dev', 'c.h': 'c-dev' }), { apks: apks(names) })
    expect(built(await three.builder.build(three.work)).learnt?.recipe).toEqual({ apks: ['a-dev', 'b-dev', 'c-dev'] })
    const found = apks(names)
    const four = await rig(wants({ 'a.h': 'a-dev', 'b.h': 'b-dev', 'c.h': 'c-dev', 'd.h': 'd-dev' }), { apks: found })
    expect(await four.builder.build(four.work)).toMatchObject({ ok: false, failure: { class: 'missing-header', key: 'd.h', apks: ['d-dev'] } })
    expect(found.asked).toEqual([['a-dev'], ['a-dev', 'b-dev'], ['a-dev', 'b-dev', 'c-dev']])
  })

  test('ends where an apk did not help, and names it', async () => {
    const { builder, work } = await rig(wants({ 'ffi.h': 'never' }), { apks: apks({ 'ffi.h': ['libffi-dev'] }) })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'missing-header', key: 'ffi.h', apks: ['libffi-dev'] }, record: { rounds: [{}] } })
  })

  test('ends with what is missing where its apk cannot be added, after the others were tried', async () => {
    const one = await rig(wants({ 'ssl.h': 'openssl-dev' }), { apks: apks({ 'ssl.h': ['openssl-dev'] }, 'openssl-dev') })
    const outcome = await one.builder.build(one.work)
    expect(outcome).toMatchObject({ ok: false, failure: { class: 'missing-header', key: 'ssl.h', apks: ['openssl-dev'] }, record: { rounds: [{ told: 'adds the apk openssl-dev, for header ssl.h' }] } })
    expect(one.log()).toContain('Muslin: round 2 cannot begin: apk add (unable to select packages: openssl-dev conflicts)\n')
    expect(one.open()).toBe(0)
    const two = await rig(wants({ 'ssl.h': 'libressl-dev' }), { apks: apks({ 'ssl.h': ['openssl-dev', 'libressl-dev'] }, 'openssl-dev') })
    expect(built(await two.builder.build(two.work)).learnt?.recipe).toEqual({ apks: ['libressl-dev'] })
  })

  test('is begun again with the next apk where the first one did not have it', async () => {
    const { builder, work, log } = await rig(wants({ 'q.h': 'b-dev' }), { apks: apks({ 'q.h': ['a-dev', 'b-dev'] }) })
    const outcome = await builder.build(work)
    expect(built(outcome).learnt?.recipe).toEqual({ apks: ['b-dev'] })
    expect(outcome.record).toMatchObject({ apks: [{ name: 'b-dev' }] })
    expect(log()).toContain('Muslin: round 3 of at most 4: adds the apk b-dev, for header q.h\n')
  })

  test('needs the wheel of a module that it did not require, and goes on with that', async () => {
    let there = false
    const answer: Answer = (command, run) => {
      const wanted = String(run.files.get('muslin/requirements.txt')).includes('pybind11')
      if (command.includes('fetch.py') && wanted && !there) return { exitCode: 1, output: 'ERROR: No matching distribution found for pybind11\n' }
      return command.includes('hooks.py build') && !wanted ? { exitCode: 1, output: 'ModuleNotFoundError: No module named \'pybind11\'\n' } : well(command, run)
    }
    const { builder, work } = await rig(answer)
    expect(await builder.build(work)).toMatchObject({
      ok: false, failure: { class: 'build-requirement-unbuildable', key: 'pybind11' }, needs: ['pybind11'],
      record: { rounds: [{ failure: { class: 'missing-python-module' }, told: 'adds the build requirement pybind11, for the Python module pybind11' }] },
    })
    there = true
    expect(built(await builder.build(work)).learnt?.recipe).toEqual({ requires: ['setuptools>=40.8.0', 'pybind11'] })
  })

  test('is not begun again where the engine adds nothing; the apk is named', async () => {
    const { builder, work, runs } = await rig(wants({ 'ffi.h': 'libffi-dev' }))
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'missing-header', key: 'ffi.h', apks: ['libffi-dev'] } })
    expect(runs.filter(({ spec }) => spec.network === 'none')).toHaveLength(1)
  })

  test.each(['upstream-unreachable', 'upstream-timeout', 'upstream-refused', 'upstream-bad-answer', 'loop'] as const)('ends with that, and with what our data alone says, where its repositories fail: %s', async (code) => {
    const found = findFails(new MuslinError(code, 'alpine.example does not answer'))
    const { builder, work, log } = await rig(wants({ 'ffi.h': 'libffi-dev' }), { apks: found })
    const outcome = await builder.build(work)
    expect(outcome).toMatchObject({ ok: false, failure: { class: 'missing-header', key: 'ffi.h', apks: ['libffi-dev'] } })
    expect(!outcome.ok && remedyOf(outcome.failure)).toBe('add the apk libffi-dev to the project\'s recipe, or use a builder image that holds it')
    expect(log()).toContain('no apks can be added: alpine.example does not answer')
    expect(found.asked).toEqual([])
  })

  test.each([['engine-unavailable', true], ['image-unavailable', undefined], ['sandbox-unavailable', undefined]] as const)('is not remembered for it where nobody could look: %s', async (code, away) => {
    const error = new MuslinError(code, 'gone')
    for (const nobody of [{ of: async () => { throw error } }, findFails(error)]) {
      const { builder, work, open } = await rig(wants({ 'ffi.h': 'libffi-dev' }), { apks: nobody })
      const outcome = await builder.build(work)
      expect(outcome).toMatchObject({ ok: false, failure: { class: 'infrastructure', key: 'gone' } })
      expect(!outcome.ok && outcome.away).toBe(away)
      expect(open()).toBe(0)
    }
  })

  test('by its recipe is told with the failure of the repositories that have it', async () => {
    const found = apks({ 'x.h': ['x-dev'] })
    const fails: Apks = { of: async (...given) => ({ ...(await found.of(...given))!, add: async () => { throw new MuslinError('upstream-unreachable', 'alpine.example cannot be reached') } }) }
    const { builder, work, log } = await rig(well, { apks: fails, recipe: { apks: ['x-dev', 'y-dev'] } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'infrastructure', key: 'alpine.example cannot be reached' } })
    expect(log()).toContain('the builder image was to get x-dev, y-dev\n')
  })

  test('only for its native part is taken for what its log misses', async () => {
    const platform = 'demo-1.0-cp313-cp313-linux_x86_64.whl'
    const falls: Answer = but('hooks.py build', (_, run) => {
      const whole = run.spec.image.includes('yaml-dev')
      run.files.set(`muslin/out/${platform}`, whole ? made.native : made.wheel)
      return whole ? {} : { output: 'x.c:2:10: fatal error: yaml.h: No such file or directory\nfalling back to pure Python\n' }
    })
    const repairing: Answer = (command, run) => {
      if (!command.includes('auditwheel repair')) return falls(command, run)
      run.files.set('muslin/repaired/demo-1.0-cp313-cp313-musllinux_1_2_x86_64.whl', made.native)
      return { output: 'Fixed-up wheel written to /tmp/muslin/repaired/demo-1.0-cp313-cp313-musllinux_1_2_x86_64.whl\n' }
    }
    const mended = await rig(repairing, { apks: apks({ 'yaml.h': ['yaml-dev'] }) })
    expect(built(await mended.builder.build(mended.work)).learnt?.recipe).toEqual({ apks: ['yaml-dev'] })
    const left = await rig(repairing)
    expect(await left.builder.build(left.work)).toMatchObject({ ok: false, failure: { class: 'pure-fallback', apks: ['yaml-dev'] } })
  })

  test('in its metadata is begun again too', async () => {
    const answer: Answer = but('hooks.py ask', (command, run) => run.spec.image.includes('libpq-dev') ? well(command, run)
      : { exitCode: 1, output: 'error: [Errno 2] No such file or directory: \'pg_config\'\n' })
    const { builder, work } = await rig(answer, { apks: apks({ pg_config: ['libpq-dev'] }) })
    expect(await builder.metadata(work)).toMatchObject({ ok: true })
  })

  test('compiles with other flags where those may help, after those of the recipe', async () => {
    const strict = but('hooks.py build', (command, run) => run.env['CFLAGS']?.includes('int-conversion') ? well(command, run)
      : { exitCode: 1, output: 'x.c:3:5: error: incompatible integer to pointer conversion passing \'int\' to \'char *\'\n' })
    const { builder, work } = await rig(strict, { recipe: { env: { CFLAGS: '-DX' } } })
    expect(built(await builder.build(work)).learnt?.recipe.env?.['CFLAGS']).toMatch(/^-DX -O2 .*-Wno-error=int-conversion/)
  })

  test('compiles with the flags of two rounds, and learns both', async () => {
    const strict = but('hooks.py build', (command, run) => {
      const flags = run.env['CFLAGS'] ?? ''
      if (!flags.includes('int-conversion')) return { exitCode: 1, output: 'x.c:3:5: error: incompatible integer to pointer conversion passing \'int\' to \'char *\'\n' }
      return flags.includes('LARGEFILE64') ? well(command, run) : { exitCode: 1, output: 'x.c:9:5: error: unknown type name \'off64_t\'\n' }
    })
    const { builder, work } = await rig(strict, { recipe: { env: { CFLAGS: '-DX' } } })
    const outcome = await builder.build(work)
    const { CFLAGS } = built(outcome).learnt?.recipe.env ?? {}
    expect(CFLAGS).toMatch(/^-DX -O2 .*-Wno-error=int-conversion.* -O2 -D_LARGEFILE64_SOURCE$/)
    expect(outcome.record['environment']).toMatchObject({ CFLAGS })
    const again = await rig(strict, { recipe: { env: { CFLAGS: CFLAGS! } } })
    expect(built(await again.builder.build(again.work)).learnt).toBeUndefined()
  })
})

describe('an old sdist', () => {
  const fails: Answer = but('hooks.py build', () => ({ exitCode: 1, output: 'AttributeError: module \'setuptools\' has no attribute \'Feature\'\n' }))

  test('is tried with requirements of its time by a pip that knows dates, and what there was then is learnt', async () => {
    const dated: Answer = (command, run) => {
      if (command.includes('fetch.py') && String(run.files.get('muslin/requirements.txt')).startsWith('pip')) {
        run.files.set('muslin/wheels/pip-26.1-py3-none-any.whl', Buffer.from('pip'))
        return {}
      }
      if (command.includes('--uploaded-prior-to 2025-04-05T00:00:00.000Z')) {
        run.files.set('muslin/wheels/setuptools-78.1.0-py3-none-any.whl', Buffer.from('a wheel'))
        return {}
      }
      return run.files.has('muslin/wheels/setuptools-78.1.0-py3-none-any.whl') ? well(command, run) : fails(command, run)
    }
    const { builder, clock, work, runs } = await rig(dated)
    await clock.advance(Date.parse('2026-11-20') - clock.now())
    expect(built(await builder.build({ ...work, sourceDate: Date.parse('2018-01-01') / 1000 })).learnt?.recipe).toEqual({ constraints: ['setuptools==78.1.0'] })
    const fetch = runs.findLast(({ commands }) => commands.flat().includes('--uploaded-prior-to'))
    expect([...fetch?.files.keys() ?? []]).toContain('muslin/pip/pip-26.1-py3-none-any.whl')
    expect(String(fetch?.files.get('muslin/constraints.txt'))).toBe('setuptools<82\ncython<3\n')
  })

  test('ends with what it said first where nothing was there then', async () => {
    const absent: Answer = (command, run) => String(run.files.get('muslin/constraints.txt') ?? '') !== '' && command.includes('fetch.py')
      ? { exitCode: 1, output: 'ERROR: No matching distribution found for setuptools<82\n' } : fails(command, run)
    const { builder, clock, work } = await rig(absent)
    await clock.advance(Date.parse('2026-11-20') - clock.now())
    const outcome = await builder.build({ ...work, sourceDate: Date.parse('2018-01-01') / 1000 })
    expect(outcome).toMatchObject({ ok: false, failure: { class: 'build-failed', key: expect.stringContaining('Feature') as string }, needs: undefined })
    expect(outcome.record['rounds']).toHaveLength(2)
  })
})

describe('a recipe', () => {
  test('adds its apks before the first round, sets variables, config settings, constraints and other requirements', async () => {
    const found = apks({ x: ['x-dev'] })
    const { builder, work, runs, log } = await rig(wants({ 'x.h': 'x-dev' }), {
      apks: found, recipe: { apks: ['x-dev', 'nowhere'], env: { WITH_X: '1' }, configSettings: { 'setup-args': ['-Da=b'] }, constraints: ['cython<3'], requires: ['setuptools<82'] },
    })
    const outcome = await builder.build(work)
    expect(built(outcome).learnt).toBeUndefined()
    expect(found.asked).toEqual([['x-dev', 'nowhere']])
    expect(log()).toContain('no repository of the builder image has nowhere')
    expect(outcome.record).toMatchObject({ environment: { WITH_X: '1', SOURCE_DATE_EPOCH: '1700000000' }, constraints: ['cython<3'] })
    expect(outcome.record).not.toHaveProperty('rounds')
    const [box, fetch] = runs
    expect(JSON.parse(String(box?.files.get('muslin/build.json')))).toMatchObject({ settings: { 'setup-args': ['-Da=b'] } })
    for (const run of [box, fetch]) {
      expect(String(run?.files.get('muslin/requirements.txt'))).toBe('setuptools<82\n')
      expect(String(run?.files.get('muslin/constraints.txt'))).toBe('cython<3\n')
    }
  })

  test('keeps builds from adding an apk, whatever they miss, and from naming it', async () => {
    const found = apks({ 'ffi.h': ['libffi-dev', 'other-dev'], 'x.h': ['x-dev'] })
    const { builder, work } = await rig(wants({ 'x.h': 'x-dev', 'ffi.h': 'libffi-dev' }), { apks: found, recipe: { apks: ['x-dev'], refusedApks: ['libffi-dev'] } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'missing-header', key: 'ffi.h', apks: ['other-dev'] } })
    expect(found.asked).toEqual([['x-dev'], ['x-dev', 'other-dev']])
    const rust = { 'demo-1.0/pyproject.toml': '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n', 'demo-1.0/Cargo.toml': '[package]\nname = "demo"\n', 'demo-1.0/Cargo.lock': 'version = 3\n' }
    const asked = async (refusedApks: string[]) => {
      const rusty = apks({})
      const one = await rig(well, { sdist: rust, apks: rusty, recipe: { refusedApks } })
      await one.builder.build(one.work)
      return rusty.asked
    }
    expect([await asked([]), await asked(['cargo'])]).toEqual([[['cargo']], []])
  })

  test('patches the sdist before anything of it runs; a patch that does not fit is the recipe\'s fault', async () => {
    const patches = [{ name: 'musl.patch', text: '--- a/x\n+++ b/x\n' }]
    const fits = await rig(well, { recipe: { patches } })
    built(await fits.builder.build(fits.work))
    const commands = fits.runs[0]!.commands.map((command) => command.join(' '))
    expect(commands.findIndex((command) => command.includes('patch.py'))).toBe(commands.findIndex((command) => command.includes('unpack')) + 1)
    expect(String(fits.runs[0]!.files.get('muslin/patches/0.patch'))).toBe(patches[0]!.text)
    const bad = await rig(but('patch.py', () => ({ exitCode: 1, output: 'patch.py: x is missing\n' })), { recipe: { patches } })
    expect(await bad.builder.build(bad.work)).toMatchObject({ ok: false, failure: { class: 'bad-recipe', key: 'its patch musl.patch does not fit: x is missing' } })
  })

  test('that skips a release ends the job with its reason, without a run', async () => {
    const { builder, work, runs } = await rig(well, { recipe: { skip: 'it needs CUDA' } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'skipped', key: 'it needs CUDA' } })
    expect(runs).toEqual([])
  })

  test('says what is expected, and how much it may use', async () => {
    const { builder, work } = await rig(well, { recipe: { expected: 'native', limits: { memory: 2 ** 32 } } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'pure-fallback' }, record: { limits: { memory: 2 ** 32, cpu: 2 } } })
  })

  test('may let the build use the network, where the engine can give one', async () => {
    const { engine, builder, work, runs, log } = await rig(well, { recipe: { network: true } })
    expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'bad-recipe' } })
    Object.assign(engine, { opensNetworks: true })
    const outcome = await builder.build(work)
    built(outcome)
    expect(runs.map(({ spec }) => spec.network)).toEqual(['open', 'fetch', 'none'])
    expect(outcome.record).toMatchObject({ recipe: { network: true } })
    expect(outcome.record['environment']).not.toHaveProperty('PIP_NO_INDEX')
    expect(log()).toContain('may use the network')
  })

  test('may let cargo have crates by itself that nobody can fetch for it', async () => {
    const sdist = { 'demo-1.0/pyproject.toml': '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n', 'demo-1.0/Cargo.toml': '[package]\nname = "demo"\n', 'demo-1.0/src/lib.rs': '' }
    const closed = await rig(well, { sdist })
    expect(await closed.builder.build(closed.work)).toMatchObject({ ok: false, failure: { class: 'bad-sdist' } })
    const { engine, builder, work, runs } = await rig(well, { sdist, recipe: { network: true, expected: 'pure' } })
    Object.assign(engine, { opensNetworks: true })
    const outcome = await builder.build(work)
    built(outcome)
    expect(runs.map(({ spec }) => spec.network)).toEqual(['open', 'fetch', 'none'])
    for (const name of ['CARGO_NET_OFFLINE', 'CARGO_HOME']) expect(outcome.record['environment']).not.toHaveProperty(name)
  })

  test('checks the wheel on the clean image by Python code of its own', async () => {
    const checked = await rig(well, { recipe: { check: 'import demo; assert demo.x == 1' } })
    built(await checked.builder.build(checked.work))
    expect(String(checked.runs.at(-1)!.files.get('muslin/check.py'))).toBe('import demo; assert demo.x == 1')
    const bad = await rig(but('check.py', () => ({ exitCode: 1, output: 'Traceback\nAssertionError: x\n' })), { recipe: { check: 'assert False' } })
    expect(await bad.builder.build(bad.work)).toMatchObject({ ok: false, failure: { class: 'try-failed', key: 'its recipe\'s check ends with AssertionError: x' } })
  })
})

describe('what is in the wheel', () => {
  const platform = 'demo-1.0-cp313-cp313-musllinux_1_2_x86_64.whl'
  const repaired = (bytes: Buffer): Answer => (command, run) => {
    if (command.includes('auditwheel repair')) {
      run.files.set(`muslin/repaired/${platform}`, bytes)
      return { output: `Fixed-up wheel written to /tmp/muslin/repaired/${platform}\n` }
    }
    if (!command.includes('hooks.py build')) return well(command, run)
    run.files.set('muslin/out/demo-1.0-cp313-cp313-linux_x86_64.whl', bytes)
    return {}
  }

  test('is known by apk, and stands in its bill of materials, the same each time', async () => {
    const grafted = await wheelOf({
      '_demo.so': makeElf({ needed: ['libffi-0123abcd.so.8.1.4'], runpath: '$ORIGIN/demo.libs' }), 'demo.libs/libffi-0123abcd.so.8.1.4': makeElf({ soname: 'libffi-0123abcd.so.8.1.4' }),
    }, 'cp313-cp313-musllinux_1_2_x86_64')
    const answer = repaired(grafted)
    const digests = new Set<string>()
    for (const round of [1, 2]) {
      const { builder, work } = await rig(answer, { apks: apks({}) })
      const { system, wheel } = built(await builder.build(work))
      expect(system, String(round)).toEqual({ repositories: ['apk/v3.21/main'], arch: 'x86_64', bundled: [{ apk: 'libffi', version: '3.4.6-r0', library: 'libffi.so.8.1.4' }], runtime: [] })
      const sbom = await memberOf(wheel, 'demo-1.0.dist-info/sboms/muslin.cdx.json')
      expect(JSON.parse(sbom)).toMatchObject({ specVersion: '1.6', components: [{ purl: 'pkg:apk/alpine/libffi@3.4.6-r0?arch=x86_64' }], formulation: [{ components: [{ name: 'setuptools', version: '80.0' }] }] })
      digests.add(createHash('sha256').update(await readFile(wheel)).digest('hex'))
    }
    expect(digests.size).toBe(1)
  })

  test('may leave libraries outside, whose apk its users then need', async () => {
    const outside = await wheelOf({ '_demo.so': makeElf({ needed: ['libffi.so.8'], wants: ['ffi_call'] }) }, 'cp313-cp313-musllinux_1_2_x86_64')
    const answer = repaired(outside)
    const { builder, work, runs } = await rig(answer, { apks: apks({ x: ['libffi'] }), recipe: { exclude: ['libffi.so.*'] } })
    expect(built(await builder.build(work)).system).toMatchObject({ bundled: [], runtime: ['libffi'] })
    expect(runs.flatMap(({ commands }) => commands).find(([name]) => name === 'auditwheel')).toEqual(expect.arrayContaining(['--exclude', 'libffi.so.*']))
    expect(runs.at(-1)!.spec.image).toBe('clean with libffi')
    const strict = await rig(answer, { apks: apks({}) })
    expect(await strict.builder.build(strict.work)).toMatchObject({ ok: false, failure: { class: 'repair-failed' } })
  })
})

describe('a result of another target', () => {
  const resultOf = (bytes: Buffer, filename = WHEEL, system?: WheelSystem) => ({
    sdist: '0'.repeat(64), recipe: '', filename, sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, build: 3, system, open: async () => Readable.from([bytes]),
  })

  test('is tagged anew and tried, without a compile', async () => {
    const { builder, work, runs, told, log } = await rig(well, { result: resultOf(made.wheel) })
    const value = built(await builder.build(work))
    expect([value.wheel.split('/').at(-1), value.reusable]).toEqual(['demo-1.0-2-cp313-cp313-musllinux_1_2_x86_64.whl', undefined])
    expect(runs.map(({ spec }) => spec.image)).toEqual(['clean'])
    expect(told).toEqual(['plan', 'verify', 'try'])
    expect(log()).toContain(`${WHEEL} of build 3 fits this target too`)
  })

  test('has of its system what its own build found, whatever a bill of materials in it claims', async () => {
    const system: WheelSystem = { repositories: ['apk/v3.21/main'], arch: 'x86_64', bundled: [{ apk: 'libffi', version: '3.4.7-r0', library: 'libffi.so.8' }], runtime: [] }
    const forged = makeSbom({
      project: 'demo', version: '1.0', sdist: { filename: 'demo-1.0.tar.gz', sha256: '0'.repeat(64) }, requirements: [],
      system: { repositories: [], arch: '../..', bundled: [], runtime: ['$(reboot)'] },
    })
    const wheel = await wheelOf({ 'demo.py': 'x = 1\n', 'demo/a.dist-info/sboms/muslin.cdx.json': forged }, 'py3-none-any')
    const { builder, work } = await rig(well, { result: resultOf(wheel, WHEEL, system) })
    expect(built(await builder.build(work))).toMatchObject({ reusable: undefined, system })
    const none = await rig(well, { result: resultOf(wheel) })
    expect(built(await none.builder.build(none.work)).system).toBeUndefined()
  })

  test('that does not work here, or fits no client of it, is no reason not to build', async () => {
    let tries = 0
    const once: Answer = but('try.py', (command, run) => {
      if (++tries > 1) return well(command, run)
      run.files.set('muslin/answer.json', Buffer.from('[{"module":"demo","outcome":"signal","message":"SIGSEGV"}]'))
      return {}
    })
    const { builder, work, log } = await rig(once, { result: resultOf(made.wheel) })
    built(await builder.build(work))
    expect(log()).toContain('it does not do here (try-failed: import demo ends with SIGSEGV): it is built')
    const other = await rig(well, { result: resultOf(made.wheel, 'demo-1.0-cp314-cp314-any.whl') })
    built(await other.builder.build(other.work))
    expect(other.runs.map(({ spec }) => spec.image)).toContain('builder')
  })

  test('comes of every build of a pure wheel, under the name that its build gave it', async () => {
    const { builder, work } = await rig(well)
    const { reusable } = built(await builder.build(work))
    expect(reusable).toMatchObject({ filename: WHEEL, path: join(work.scratch, 'reusable', WHEEL) })
    expect(await memberOf(reusable!.path, 'demo-1.0.dist-info/WHEEL')).toContain('Tag: py3-none-any')
  })
})

test('a build requirement that has no wheel is named as a requirement', async () => {
  const { builder, work } = await rig(but('fetch.py', () => ({ exitCode: 1, output: 'ERROR: No matching distribution found for cython<3,>=0.29 (from odd)\n' })))
  expect(await builder.build(work)).toMatchObject({ ok: false, failure: { class: 'build-requirement-unbuildable' }, needs: ['cython<3,>=0.29'] })
})

async function memberOf(path: string, name: string): Promise<string> {
  const member = (await readWheel(path)).find((one) => one.name === name)
  if (!member) throw new Error(`${path} has no ${name}`)
  return new TextDecoder().decode(await member.read())
}
