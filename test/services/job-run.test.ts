import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MuslinError } from '../../src/errors.ts'
import type { ApkEntry } from '../../src/domain/apk-index.ts'
import type { Failure, FailureClass } from '../../src/domain/failure.ts'
import { PRIORITY, type Job } from '../../src/domain/job.ts'
import type { BuildWork } from '../../src/services/ports.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { logText } from '../log-text.ts'
import { type Bench, METADATA, SDIST, TARGET, built, makeBench } from './bench.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const ZIP = { sha256: 'b'.repeat(64), filename: 'demo-1.0.zip' }
const OTHER = 'cp312-musllinux_1_2_x86_64'
const never = new AbortController().signal

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

/** Claims the one job there is and runs it to its end. */
async function runNext(run = bench.runner()): Promise<Job> {
  const job = await bench.claim()
  await run(job, 'me', never, never)
  return bench.job(job.id)
}

async function wheels() {
  return bench.store.wheels.wheels('demo')
}

describe('a build that succeeds', () => {
  test('its wheel, METADATA, record and log are kept, and nothing lies about', async () => {
    let work: BuildWork | undefined
    bench.builder.play = async (given) => {
      work = given
      await given.onStep('build')
      given.log.write('cc -o demo.so\n')
      return built(given, { record: { seconds: 3 } })
    }
    await bench.wish()
    const job = await runNext()
    expect(job).toMatchObject({ state: 'built', metadataChanged: false, finishedAt: bench.clock.now() })
    expect(await wheels()).toEqual([{
      sha256: sha256('the bytes of a wheel'), size: 20, filename: `demo-1.0-1-cp313-${TARGET}.whl`, project: 'demo', version: '1.0', target: TARGET,
      sdist: job.sdist.sha256, number: 1, metadata: sha256(METADATA), requiresPython: '>=3.9', publishedAt: bench.clock.now(), build: job.build,
    }])
    expect(await bench.blob(sha256('the bytes of a wheel'))).toBe('the bytes of a wheel')
    expect(await bench.blob(sha256(METADATA))).toBe(METADATA)
    expect((await bench.store.jobs.build(job.build!))?.record).toEqual({ seconds: 3 })
    const log = await logText(bench.logs, job.build!)
    for (const line of ['build demo 1.0', 'step build', 'cc -o demo.so', 'step publish', `publishing demo-1.0-1-cp313-${TARGET}.whl`]) expect(log).toContain(line)
    expect(await readdir(bench.scratch)).toEqual([])
    work?.log.write('too late')
    expect(await logText(bench.logs, job.build!)).toBe(log)
  })

  test('both blobs are there before the transaction that names them', async () => {
    const { store, blobs } = bench
    const there: (number | undefined)[] = []
    const publish: typeof store.wheels.publish = async (wheel, ...rest) => {
      for (const digest of [wheel.sha256, wheel.metadata]) there.push((await blobs.stat(digest))?.size)
      return store.wheels.publish(wheel, ...rest)
    }
    await bench.wish()
    await runNext(bench.runner({ store: { ...store, wheels: { ...store.wheels, publish } } }))
    expect(there).toEqual([20, METADATA.length])
  })

  test('a rebuild has the next build number of its version and target, whichever sdist it is from', async () => {
    await bench.wish()
    await runNext()
    await bench.wish({ kind: 'rebuild', priority: PRIORITY.rebuild, sdist: ZIP })
    bench.builder.play = (work) => built(work, { bytes: 'another wheel' })
    await runNext()
    await bench.wish({ sdist: ZIP, version: '1.0.post1' })
    let number: number | undefined
    bench.builder.play = async (work) => { number = work.number; return { ok: false, failure: { class: 'no-sdist', key: '' }, record: {} } }
    await runNext()
    expect((await wheels()).map((wheel) => [wheel.number, wheel.filename.split('-')[2]])).toEqual([[1, '1'], [2, '2']])
    expect(number).toBe(1)
  })

  test.each([
    ['its own sdist', {}],
    ['the release\'s other sdist', { sdist: ZIP }],
  ])('where a wheel of the version and target is there, built from %s, nothing is built', async (_which, change) => {
    await bench.wish({ kind: 'rebuild', priority: PRIORITY.rebuild })
    await runNext()
    bench.builder.play = async () => { throw new Error('nobody is asked') }
    await bench.wish({ recipe: 'another', ...change })
    const job = await runNext()
    expect(job).toMatchObject({ state: 'built', remembered: false })
    expect(await logText(bench.logs, job.build!)).toContain(`demo-1.0-1-cp313-${TARGET}.whl is there already`)
    expect(await wheels()).toHaveLength(1)
  })

  test.each([
    ['differs for installers', METADATA.replace('1.17', '1.18'), true],
    ['differs in its text alone', METADATA.replace('cffi>=1.17', 'CFFI >=1.17').replace('Hello', 'Bye'), false],
  ])('METADATA that %s from what was served', async (_how, later, changed) => {
    bench.builder.play = async (work) => {
      await work.onMetadata(Buffer.from(METADATA))
      expect(await bench.store.metadata.get(work.job.sdist.sha256, TARGET)).toBe(sha256(METADATA))
      return built(work, { metadata: later })
    }
    await bench.wish()
    expect(await runNext()).toMatchObject({ state: 'built', metadataChanged: changed })
    // The wheel's own counts from now on.
    expect(await bench.store.metadata.get('a'.repeat(64), TARGET)).toBe(sha256(later))
  })

  test('what other targets may have of it is kept with what it found of its system', async () => {
    const system = { repositories: ['apk/v3.21/main'], arch: 'x86_64', bundled: [], runtime: ['libffi'] }
    bench.builder.play = async (work) => {
      const outcome = await built(work)
      const path = join(work.scratch, 'demo-1.0-py3-none-any.whl')
      await writeFile(path, 'a pure wheel')
      return outcome.ok ? { ...outcome, value: { ...outcome.value, system, reusable: { path, filename: 'demo-1.0-py3-none-any.whl' } } } : outcome
    }
    await bench.wish()
    const first = await runNext()
    let work: BuildWork | undefined
    bench.builder.play = async (given) => { work = given; return built(given, { bytes: 'tagged anew' }) }
    await bench.wish({ target: OTHER })
    await bench.runner()((await bench.store.jobs.claim('me', { kinds: ['build'], targets: { [OTHER]: 'image-1' } }, 1, 100_000))!, 'me', never, never)
    expect(work?.result).toMatchObject({ filename: 'demo-1.0-py3-none-any.whl', sha256: sha256('a pure wheel'), build: first.build, system })
  })

  test('failures of several recipes, tried again at once, are one build by the recipe of today', async () => {
    const failed = async (recipe: string) => {
      const job = await bench.wish({ recipe })
      await bench.store.jobs.fail((await bench.claim()).build, { class: 'build-failed', key: 'x' }, undefined, bench.clock.now(), bench.clock.now() + 3 * DAY)
      return job
    }
    const old = await failed('')
    await bench.recipes.set({ project: 'demo', versions: undefined, targets: undefined, origin: 'site', note: undefined, recipe: { apks: ['libffi-dev'] } })
    const heir = await failed((await bench.recipes.forProject('demo'))('1.0', TARGET).digest)
    await bench.clock.advance(3 * DAY)
    expect(await bench.store.jobs.requeue(bench.clock.now())).toBe(2)
    let builds = 0
    bench.builder.play = async (work) => { builds += 1; return built(work) }
    const claimed = [await bench.claim(), await bench.claim()]
    await Promise.all(claimed.map((job) => bench.runner()(job, 'me', never, never)))
    expect(builds).toBe(1)
    for (const id of [old.id, heir.id]) expect(await bench.job(id)).toMatchObject({ state: 'built', failure: undefined, remembered: false })
    expect(await wheels()).toHaveLength(1)
    expect(await logText(bench.logs, claimed[0]!.build)).toContain(`that is what job ${heir.id} is for; this one ends as it does`)
  })

  test.each([[['demo-1.0-py3-none-any.whl', 'demo-1.0-cp313-cp313-win_amd64.whl'], true], [['demo-1.0-cp313-cp313-win_amd64.whl'], false]])('is native where the upstream has a pure wheel for it: %s', async (files, expected) => {
    const listed = files.map((filename) => ({ filename, url: filename, hashes: {} }))
    await bench.store.pages.put({ project: 'demo', json: Buffer.from(JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'demo', files: listed })), url: 'https://upstream.example/', validator: undefined, fetchedAt: 1 }, [])
    let told: boolean | undefined
    bench.builder.play = async (work) => { told = work.nativeOnly; return built(work) }
    await bench.wish()
    await runNext()
    expect(told).toBe(expected)
  })

  test('who lost the job publishes nothing', async () => {
    await bench.wish()
    const job = await bench.claim()
    bench.builder.play = async (work) => {
      await bench.store.jobs.giveBack(job.build, 'stop', bench.clock.now())
      await bench.claim('another')
      return built(work)
    }
    await bench.runner()(job, 'me', never, never)
    expect(await bench.job(job.id)).toMatchObject({ state: 'running', worker: 'another' })
    expect(await wheels()).toEqual([])
    expect(await logText(bench.logs, job.build!)).toContain('another worker has the job now')
  })
})

describe('what a builder is given', () => {
  async function workOf(): Promise<BuildWork> {
    const given = Promise.withResolvers<BuildWork>()
    bench.builder.play = async (work) => {
      given.resolve(work)
      expect(await buffer(await work.sdist())).toEqual(SDIST)
      return built(work)
    }
    await bench.wish()
    await runNext()
    return given.promise
  }

  function put(time: unknown): Promise<void> {
    const page = { meta: { 'api-version': '1.4' }, name: 'demo', files: [{ filename: 'demo-1.0.tar.gz', url: 'x', hashes: { sha256: 'a'.repeat(64) }, 'upload-time': time }] }
    return bench.store.pages.put({ project: 'demo', json: Buffer.from(JSON.stringify(page)), url: 'https://upstream.example/simple/demo/', validator: undefined, fetchedAt: 0 }, [])
  }

  test.each([
    ['2024-05-06T07:08:09.999Z', Date.UTC(2024, 4, 6, 7, 8, 9) / 1000],
    ['1979-01-01T00:00:00Z', Date.UTC(1980) / 1000],
    [undefined, Date.UTC(1980) / 1000],
    ['yesterday', Date.UTC(1980) / 1000],
  ])('SOURCE_DATE_EPOCH for upload-time %s', async (time, expected) => {
    await put(time)
    expect((await workOf()).sourceDate).toBe(expected)
  })

  test('without a page: 1980, and no METADATA', async () => {
    expect(await workOf()).toMatchObject({ sourceDate: 315_532_800, known: undefined, number: 1 })
  })

  test('METADATA that is known', async () => {
    await bench.wish({ kind: 'metadata' })
    await runNext()
    expect((await workOf()).known?.toString()).toBe(METADATA)
  })
})

describe('what other builds have of one', () => {
  const NEWER = 'cp314-musllinux_1_2_x86_64'

  async function runFor(target: string, change: Parameters<Bench['wish']>[0] = {}): Promise<BuildWork> {
    let given: BuildWork | undefined
    bench.builder.play = async (work) => {
      given = work
      const played = await built(work, { bytes: `${target} ${work.number}` })
      if (!played.ok || work.result) return played
      const path = join(work.scratch, 'reusable.whl')
      await writeFile(path, 'as it was built')
      return { ...played, value: { ...played.value, reusable: { path, filename: 'demo-1.0-cp38-abi3-musllinux_1_2_x86_64.whl' } } }
    }
    await bench.wish({ target, ...change })
    const job = await bench.store.jobs.claim('me', { kinds: ['build', 'rebuild', 'trial'], targets: { [target]: 'image-1' } }, bench.clock.now(), bench.clock.now() + 60_000)
    await bench.runner()(job!, 'me', never, never)
    return given!
  }

  test('a result that fits another target is given to its build, with its bytes', async () => {
    expect((await runFor(TARGET)).result).toBeUndefined()
    const { build } = (await wheels())[0]!
    const { result } = await runFor(NEWER)
    expect(result).toMatchObject({ sdist: 'a'.repeat(64), recipe: '', filename: 'demo-1.0-cp38-abi3-musllinux_1_2_x86_64.whl', sha256: sha256('as it was built'), size: 15, build })
    expect((await buffer(await result!.open())).toString()).toBe('as it was built')
    expect((await wheels()).map(({ target }) => target)).toEqual([TARGET, NEWER])
  })

  test.each([['an older Python', 'cp37-musllinux_1_2_x86_64', {}], ['another CPU', 'cp314-musllinux_1_2_aarch64', {}], ['another sdist', NEWER, { sdist: ZIP }], ['a rebuild', NEWER, { kind: 'rebuild' as const }], ['a trial', NEWER, { kind: 'trial' as const }]])(
    'not to that of %s', async (_which, target, change) => {
      await runFor(TARGET)
      expect((await runFor(target, change)).result).toBeUndefined()
    })

  test('nor where the recipe is another, or its bytes are gone', async () => {
    await runFor(TARGET)
    await bench.blobs.remove(sha256('as it was built'))
    expect((await runFor(NEWER)).result).toBeUndefined()
    await bench.recipes.set({ project: 'demo', versions: undefined, targets: undefined, origin: 'site', note: undefined, recipe: { env: { A: '1' }, limits: { memory: 5 } } })
    const { result, recipe, limits } = await runFor('cp315-musllinux_1_2_x86_64')
    expect([result, recipe.env, limits]).toEqual([undefined, { A: '1' }, { cpu: 2, memory: 5, disk: 2 ** 26, time: 60 }])
  })

  test.each([['is not given on where the branch has newer', '1.3.2-r0', false], ['is where the branch has no newer', '1.3.1-r0', true], ['is where the branch cannot be asked', undefined, true]])(
    'a result with a library of the system %s', async (_which, newest, given) => {
      const system = { repositories: ['apk/v3.21/main'], arch: 'x86_64', bundled: [{ apk: 'zlib', version: '1.3.1-r0', library: 'libz.so.1' }], runtime: [] }
      bench.builder.play = async (work) => {
        const [played, path] = [await built(work), join(work.scratch, 'reusable.whl')]
        await writeFile(path, 'with its library')
        return played.ok ? { ...played, value: { ...played.value, system, reusable: { path, filename: 'demo-1.0-cp38-abi3-musllinux_1_2_x86_64.whl' } } } : played
      }
      await bench.wish()
      await runNext()
      const asked: unknown[] = []
      const branches: Parameters<Bench['runner']>[0] = { branches: { async index(...args) {
        asked.push(args)
        if (newest === undefined) throw new MuslinError('upstream-unreachable', 'nobody answers')
        return [{ name: 'zlib', version: newest }] as ApkEntry[]
      } } }
      let work: BuildWork | undefined
      bench.builder.play = async (one) => { work = one; return built(one, { bytes: 'of its own' }) }
      await bench.wish({ target: NEWER })
      const job = await bench.store.jobs.claim('me', { kinds: ['build'], targets: { [NEWER]: 'image-1' } }, bench.clock.now(), bench.clock.now() + 60_000)
      await bench.runner(branches)(job!, 'me', never, never)
      expect([work?.result !== undefined, asked]).toEqual([given, [[['apk/v3.21/main'], 'x86_64']]])
    })

  test.each([['', undefined], [' and learnt on its way', { recipe: { apks: ['zlib-dev'], env: { CFLAGS: '-fcommon' } }, evidence: [] }]])(
    'a result is given by the recipe that it was built by%s, not by what a person wrote meanwhile', async (_how, learnt) => {
      const write = (env: Record<string, string>) => bench.recipes.set({ project: 'demo', versions: undefined, targets: undefined, origin: 'site', note: undefined, recipe: { apks: ['libffi-dev'], env } })
      const digest = async () => (await bench.recipes.forProject('demo'))('1.0', NEWER).digest
      await write({})
      bench.builder.play = async (work) => {
        await write({ MENDED: '1' })
        const [played, path] = [await built(work), join(work.scratch, 'reusable.whl')]
        await writeFile(path, 'not mended')
        return played.ok ? { ...played, value: { ...played.value, learnt, reusable: { path, filename: 'demo-1.0-cp38-abi3-musllinux_1_2_x86_64.whl' } } } : played
      }
      await bench.wish({ recipe: await digest() })
      await runNext()
      expect((await runFor(NEWER, { recipe: await digest() })).result).toBeUndefined()
      await write({})
      const { result } = await runFor('cp315-musllinux_1_2_x86_64', { recipe: await digest() })
      expect(result && (await buffer(await result.open())).toString()).toBe('not mended')
    })

  test('a rebuild is told which apks are to be fresh', async () => {
    await runFor(TARGET)
    bench.builder.play = async (work) => {
      const played = await built(work, { bytes: `with libraries ${work.number}` })
      const bundled = [{ apk: 'zlib', version: '1', library: 'a' }, { apk: 'xz-libs', version: '1', library: 'b' }, { apk: 'zlib', version: '1', library: 'c' }]
      return played.ok ? { ...played, value: { ...played.value, system: { repositories: ['apk/v3.19/main'], arch: 'x86_64', bundled, runtime: [] } } } : played
    }
    const again = await bench.wish({ kind: 'rebuild' })
    await runNext()
    await bench.store.jobs.rebuild({ ...again, kind: 'rebuild', priority: PRIORITY.rebuild }, bench.clock.now())
    expect((await runFor(TARGET, { kind: 'rebuild' })).fresh).toEqual(['xz-libs', 'zlib'])
    expect((await runFor(NEWER)).fresh).toBeUndefined()
    expect((await wheels()).map(({ number }) => number)).toEqual([1, 2, 3, 1])
  })

  test('what it learnt is kept, and costs no wheel where it cannot be', async () => {
    const learnt = { recipe: { apks: ['libffi-dev'] }, evidence: [{ failure: { class: 'missing-header' as const, key: 'ffi.h' }, remedy: 'adds the apk libffi-dev' }] }
    bench.builder.play = async (work) => {
      const played = await built(work, { bytes: work.job.version })
      return played.ok ? { ...played, value: { ...played.value, learnt } } : played
    }
    await bench.wish()
    await runNext()
    expect(await bench.store.recipes.of('demo')).toMatchObject([{ origin: 'learnt', recipe: { apks: ['libffi-dev'] }, note: `learnt from the build of 1.0 for ${TARGET}` }])
    const digest = (await bench.recipes.forProject('demo'))('2.0', TARGET).digest
    await bench.wish({ version: '2.0', recipe: digest, sdist: { sha256: 'c'.repeat(64), filename: 'demo-2.0.tar.gz' } })
    const recipes = { ...bench.recipes, learn: async () => { throw new Error('the disk is full') } }
    expect(await runNext(bench.runner({ recipes }))).toMatchObject({ state: 'built' })
    expect(bench.lines.join('')).toContain('what the build taught could not be kept')
  })
})

describe('a metadata job', () => {
  test('keeps METADATA alone, and asks no builder where it is known', async () => {
    await bench.wish({ kind: 'metadata' })
    expect(await runNext()).toMatchObject({ state: 'built' })
    expect(await bench.store.metadata.get('a'.repeat(64), TARGET)).toBe(sha256(METADATA))
    expect(await wheels()).toEqual([])
    bench.builder.play = async () => { throw new Error('nobody is asked') }
    await bench.wish({ kind: 'metadata', recipe: 'another' })
    expect(await runNext()).toMatchObject({ state: 'built' })
  })
})

describe('a trial', () => {
  test('is a whole build, of which nothing is kept but its record and log', async () => {
    const waiting = await bench.wish({ kind: 'metadata', image: 'image-2' })
    let kind: string | undefined
    bench.builder.play = async (work, asked) => {
      kind = asked
      await work.onStep('metadata')
      await work.onMetadata(Buffer.from(METADATA))
      await bench.clock.advance(4_000)
      await work.onStep('try')
      return built(work, { record: { try: { modules: 1 } } })
    }
    await bench.wish({ kind: 'trial' })
    const job = await runNext()
    expect(kind).toBe('build')
    expect(job).toMatchObject({ kind: 'trial', state: 'built', finishedAt: bench.clock.now() })
    expect(await wheels()).toEqual([])
    expect(await bench.store.metadata.get('a'.repeat(64), TARGET)).toBeUndefined()
    expect(await bench.blobs.stat(sha256('the bytes of a wheel'))).toBeUndefined()
    expect(await bench.blobs.stat(sha256(METADATA))).toBeUndefined()
    expect(await bench.job(waiting.id)).toMatchObject({ state: 'queued' })
    const run = await bench.store.jobs.build(job.build!)
    expect(run?.record).toEqual({ try: { modules: 1 } })
    expect(run?.steps).toEqual([{ step: 'metadata', startedAt: bench.clock.now() - 4_000 }, { step: 'try', startedAt: bench.clock.now() }])
    expect(await logText(bench.logs, job.build!)).toContain(`demo-1.0-1-cp313-${TARGET}.whl was built and tried; of a trial nothing is kept`)
    expect(await readdir(bench.scratch)).toEqual([])
  })

  test('is run although there is a wheel, under the number that the next one would have', async () => {
    await bench.wish()
    await runNext()
    const there = await wheels()
    let number: number | undefined
    bench.builder.play = (work) => { number = work.number; return built(work, { bytes: 'other bytes' }) }
    await bench.wish({ kind: 'trial' })
    expect(await runNext()).toMatchObject({ state: 'built' })
    expect(number).toBe(2)
    expect(await wheels()).toEqual(there)
  })

  test('that fails stops no promise, and is not run again by itself', async () => {
    bench.builder.play = async () => ({ ok: false, failure: { class: 'infrastructure', key: 'no engine' }, record: {} })
    await bench.wish({ kind: 'trial' })
    const job = await runNext()
    expect(job).toMatchObject({ state: 'failed', failure: { class: 'infrastructure' }, remembered: false })
    expect(await bench.store.jobs.retryAt(job.id)).toBeUndefined()
    expect(await bench.store.jobs.remembered('demo')).toEqual([])
  })
})

describe('a build that fails', () => {
  test.each<[FailureClass, string, number | undefined]>([
    ['missing-header', 'demo 1.0 needs header ffi.h', 3 * DAY],
    ['infrastructure', 'demo 1.0 could not be built just now: ffi.h', 5 * MINUTE],
    ['bad-sdist', 'demo 1.0 its sdist cannot be used: ffi.h', undefined],
  ])('%s: the log says it, and it is queued again in its time', async (failed, words, after) => {
    bench.builder.play = async () => ({ ok: false, failure: { class: failed, key: 'ffi.h' }, record: { seconds: 1 } })
    await bench.wish()
    const job = await runNext()
    expect(job).toMatchObject({ state: 'failed', failure: { class: failed, key: 'ffi.h' }, remembered: true })
    expect(await bench.store.jobs.build(job.build!)).toMatchObject({ failure: { class: failed }, record: { seconds: 1 } })
    expect(await logText(bench.logs, job.build!)).toContain(`Muslin: failed, ${failed}: ${words}\n`)
    const { requeue } = bench.store.jobs
    expect(await requeue(bench.clock.now() + (after ?? 365 * DAY) - 1)).toBe(0)
    expect(await requeue(bench.clock.now() + (after ?? 365 * DAY))).toBe(after === undefined ? 0 : 1)
  })

  test.each([
    ['a known one says why', new MuslinError('image-unavailable', 'the image cannot be pulled; look at the registry'), 'the image cannot be pulled; look at the registry'],
    ['any other is for the server\'s log alone', new TypeError('secret of x is undefined'), 'an unexpected error, see the server\'s log'],
  ])('by an error: %s', async (_which, error, key) => {
    bench.builder.play = async () => { throw error }
    await bench.wish()
    const job = await runNext()
    expect(job).toMatchObject({ state: 'failed', failure: { class: 'infrastructure', key } })
    expect(await logText(bench.logs, job.build!)).toContain(key)
    expect(bench.lines.join('')).toContain(error.message)
    expect(await readdir(bench.scratch)).toEqual([])
    expect(await bench.store.jobs.requeue(bench.clock.now() + 5 * MINUTE)).toBe(1)
  })

  test('a folder that cannot be used fails the job too: given back it would come again at once, for ever', async () => {
    await rm(bench.scratch, { recursive: true })
    await bench.wish()
    const job = await runNext()
    expect(job).toMatchObject({ state: 'failed', failure: { class: 'infrastructure' } })
    await bench.wish({ recipe: 'another' })
    const logs = { ...bench.logs, open: async () => { throw new MuslinError('disk-full', 'no space is left') } }
    expect(await runNext(bench.runner({ logs }))).toMatchObject({ state: 'failed', failure: { class: 'infrastructure', key: 'no space is left' } })
  })

  test('one that is stopped is thrown back untouched, its scratch folder removed', async () => {
    const stop = new AbortController()
    bench.builder.play = async (work) => {
      expect(await readdir(bench.scratch)).toHaveLength(1)
      stop.abort(new Error('the worker stops'))
      throw work.signal.reason
    }
    await bench.wish()
    const job = await bench.claim()
    await expect(bench.runner()(job, 'me', stop.signal, stop.signal)).rejects.toThrow('the worker stops')
    expect(await bench.job(job.id)).toMatchObject({ state: 'running', failure: undefined })
    expect(await readdir(bench.scratch)).toEqual([])
  })

  test('a build that fails for want of the index while the server stops is given back; one that fails by itself has failed', async () => {
    const outcome = (failure: Failure) => async () => ({ ok: false as const, failure, record: {} })
    await bench.wish()
    const job = await bench.claim()
    bench.builder.play = outcome({ class: 'infrastructure', key: 'the index cannot be reached' })
    await expect(bench.runner()(job, 'me', never, AbortSignal.abort())).rejects.toThrow('the server stops')
    expect(await bench.job(job.id)).toMatchObject({ state: 'running', failure: undefined })
    bench.builder.play = outcome({ class: 'missing-header', key: 'ffi.h' })
    await bench.runner()(job, 'me', never, AbortSignal.abort())
    expect(await bench.job(job.id)).toMatchObject({ state: 'failed', failure: { class: 'missing-header' } })
  })
})

describe('the recipe', () => {
  const site = { project: 'demo', versions: undefined, targets: undefined, origin: 'site' as const, note: undefined, recipe: { apks: ['demo-dev'], limits: { memory: 5 }, network: true } }
  const digest = async () => (await bench.recipes.forProject('demo'))('1.0', TARGET).digest

  test('that is built by is the one of today: the job is of it from then on, its record and log tell', async () => {
    await bench.store.recipes.add({ ...site, evidence: undefined, createdBy: 'admin', createdAt: 0 })
    await bench.wish({ recipe: 'an older one' })
    let work: BuildWork | undefined
    bench.builder.play = async (given) => {
      work = given
      return { ok: false, failure: { class: 'missing-header', key: 'x.h' }, record: { seconds: 1 } }
    }
    const job = await runNext()
    expect(work).toMatchObject({ recipe: { apks: ['demo-dev'], network: true }, limits: { memory: 5 } })
    expect(job).toMatchObject({ state: 'failed', remembered: true, recipe: await digest() })
    expect((await bench.store.jobs.build(job.build!))?.record).toEqual({ seconds: 1, recipe: { digest: await digest(), ...site.recipe } })
    const log = await logText(bench.logs, job.build!)
    expect(log).toContain('the recipe changed since the job was queued')
  })

  test('that a build taught is kept with its evidence, and what it made is found under it', async () => {
    bench.builder.play = async (work) => {
      const outcome = await built(work)
      return outcome.ok ? { ...outcome, value: { ...outcome.value, learnt: { recipe: { apks: ['libffi-dev'] }, evidence: [{ failure: { class: 'missing-header', key: 'ffi.h' }, remedy: 'adds the apk libffi-dev' }] } } } : outcome
    }
    await bench.wish()
    const job = await runNext()
    expect(await bench.recipes.list()).toMatchObject([{ origin: 'learnt', recipe: { apks: ['libffi-dev'] }, evidence: [{ failure: { key: 'ffi.h' } }], note: expect.stringContaining('1.0') }])
    expect(job).toMatchObject({ state: 'built', recipe: await digest() })
    expect(await digest()).not.toBe('')
  })
})

describe('a run whose engine goes away', () => {
  const away = async () => ({ ok: false as const, failure: { class: 'infrastructure' as const, key: 'no daemon answers' }, record: {}, away: true })

  test.each([['in the middle of it', away], ['before it began', async () => { throw new MuslinError('engine-unavailable', 'no daemon answers') }]])('%s is given back, three times', async (_when, play) => {
    bench.builder.play = play
    const { id } = await bench.wish()
    for (let time = 1; time <= 3; time++) {
      const run = await bench.claim()
      await expect(bench.runner()(run, 'me', never, never)).rejects.toMatchObject({ code: 'engine-unavailable' })
      expect(await bench.job(id)).toMatchObject({ state: 'running', attempts: time })
      await bench.store.jobs.giveBack(run.build, 'death', bench.clock.now())
    }
    expect(await runNext()).toMatchObject({ state: 'failed', failure: { class: 'infrastructure', key: 'no daemon answers' } })
    expect(await bench.store.jobs.requeue(bench.clock.now() + 5 * MINUTE)).toBe(1)
  })
})

describe('a job that takes its workers down', () => {
  test('is not tried a sixth time by itself, and tried when a person wants it', async () => {
    const { id } = await bench.wish()
    let played = 0
    bench.builder.play = (work) => { played += 1; return built(work) }
    for (let died = 0; died < 5; died++) {
      await bench.claim()
      await bench.clock.advance(MINUTE)
    }
    expect(await runNext()).toMatchObject({ state: 'failed', attempts: 6, failure: { class: 'infrastructure', key: 'it took 5 workers down' } })
    expect(played).toBe(0)
    expect(await bench.store.jobs.requeue(bench.clock.now() + 365 * DAY)).toBe(0)
    await bench.store.jobs.retry(id, bench.clock.now())
    expect(await runNext()).toMatchObject({ state: 'built', attempts: 1 })
  })

  test('failures that a worker lived to tell do not count', async () => {
    bench.builder.play = async () => ({ ok: false, failure: { class: 'infrastructure', key: 'no engine' }, record: {} })
    await bench.wish()
    for (let time = 0; time < 7; time++) {
      expect(await runNext()).toMatchObject({ state: 'failed', attempts: 1, failure: { key: 'no engine' } })
      await bench.clock.advance(5 * MINUTE)
      expect(await bench.store.jobs.requeue(bench.clock.now())).toBe(1)
    }
  })
})
