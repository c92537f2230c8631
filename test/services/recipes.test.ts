import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Recipe, RecipeLayer } from '../../src/domain/recipe.ts'
import { createRecipes, type Recipes } from '../../src/services/recipes.ts'
import { type Bench, makeBench, TARGET } from './bench.ts'

const FILES: Record<string, string> = {
  demo: 'note = "libdemo"\napks = ["demo-dev", "zlib-dev"]\nexpected = "native"\n\n[[recipe]]\nversions = "<1"\nconstraints = ["cython<3"]\n',
  glibc: 'skip = "its client is for glibc alone"\n',
}

let bench: Bench
let read: string[]
let recipes: Recipes
beforeEach(async () => {
  bench = await makeBench()
  read = []
  recipes = make()
})
afterEach(() => bench.close())

function make(files = FILES): Recipes {
  const builtIn = {
    projects: async () => Object.keys(files),
    async read(project: string) {
      read.push(project)
      return files[project] === undefined ? undefined : { name: `${project}.toml`, text: files[project] }
    },
  }
  return createRecipes({ builtIn, recipes: bench.store.recipes, jobs: bench.store.jobs, clock: bench.clock })
}

const site = (recipe: Partial<Recipe>, more: Partial<RecipeLayer> = {}): RecipeLayer => ({ project: 'demo', versions: undefined, targets: undefined, origin: 'site', recipe, note: undefined, ...more })
const of = async (version = '1.0', project = 'demo', from = recipes) => (await from.forProject(project))(version, TARGET)

describe('what applies', () => {
  test('is the built-in file, read once, and only of projects that are asked for', async () => {
    expect((await of()).recipe).toMatchObject({ apks: ['demo-dev', 'zlib-dev'], expected: 'native', constraints: [] })
    expect((await of('0.9')).recipe.constraints).toEqual(['cython<3'])
    expect(read).toEqual(['demo'])
    expect(await of('1.0', 'other')).toMatchObject({ digest: '', layers: [] })
  })

  test('has a digest that tells recipes apart, not how they are written; what only users need changes no build', async () => {
    const digest = async (recipe: Partial<Recipe>) => {
      const { id } = await recipes.set(site(recipe, { project: 'other' }))
      const { digest } = await of('1.0', 'other')
      await recipes.remove(id)
      return digest
    }
    const one = await digest({ env: { A: '1', B: '2' }, apks: ['x'] })
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(await digest({ apks: ['x'], env: { B: '2', A: '1' }, check: '', network: false, requires: undefined })).toBe(one)
    expect(await digest({ apks: ['x'], env: { A: '1', B: '3' } })).not.toBe(one)
    expect(await digest({ requires: [] }), 'no build requirements at all are something else than those of the sdist').not.toBe('')
    expect(await digest({ apks: ['!x'] }), 'builds do not add it by themselves').not.toBe('')
    expect(await digest({ apks: [], env: {}, runtimeApks: ['libmagic'] })).toBe('')
  })

  test('is the same for every release that the same layers are for', async () => {
    const applied = await recipes.forProject('demo')
    expect(applied('1.0', TARGET)).toBe(applied('2.0', TARGET))
    expect(applied('0.9', TARGET).digest).not.toBe(applied('1.0', TARGET).digest)
  })

  test('of a built-in file that cannot be used, is an error that names the file and the key', async () => {
    await expect(of('1', 'bad', make({ bad: 'apks = ["Zlib"]' }))).rejects.toThrow(/bad\.toml: apks\.0 cannot be used; accepted: the name of an apk/)
  })
})

describe('a recipe of this site', () => {
  test('goes over all others, takes the place of the one for the same versions and targets, and can be taken back', async () => {
    const first = await recipes.set(site({ apks: ['a'] }), 'ann')
    const second = await recipes.set(site({ apks: ['!zlib-dev', 'b'] }), 'ann')
    await recipes.set(site({ apks: ['c'] }, { versions: '>=2' }))
    expect((await recipes.list()).map(({ recipe, createdBy }) => [recipe.apks, createdBy])).toEqual([[['!zlib-dev', 'b'], 'ann'], [['c'], 'admin']])
    expect((await of('2.0')).recipe.apks).toEqual(['demo-dev', 'b', 'c'])
    expect(await recipes.remove(second.id)).toMatchObject({ id: second.id, project: 'demo' })
    expect((await of('2.0')).recipe.apks).toEqual(['demo-dev', 'zlib-dev', 'c'])
    await expect(recipes.remove(first.id)).rejects.toMatchObject({ code: 'no-such-recipe' })
  })

  test('gets apks beside what it says', async () => {
    await recipes.set({ ...site({ apks: ['a', '!b'], env: { X: '1' } }), note: 'why' })
    const { recipe, note } = await recipes.addApks('demo', ['b', 'c', 'a'])
    expect([recipe, note]).toEqual([{ apks: ['a', 'b', 'c'], env: { X: '1' } }, 'why'])
    expect(await recipes.list()).toHaveLength(1)
    expect((await recipes.addApks('fresh', ['x'])).recipe).toEqual({ apks: ['x'] })
  })

  test('is exported as a file that gives it again', async () => {
    const patch = { name: 'mend.patch', text: '--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b "\'\'\' \\n\n' }
    await recipes.set(site({
      apks: ['a'], env: { CFLAGS: '-O1 "x"' }, configSettings: { 'setup-args': ['-Da=b', '-Dc=d'] }, constraints: ['cython<3'], requires: ['setuptools<60'], patches: [patch],
      exclude: ['libfoo.so.*'], check: 'import demo\nassert demo.fast\n', limits: { memory: 8 * 1024 ** 3, time: 5400, cpu: 1.5, disk: 1000 }, network: true, expected: 'pure', skip: '',
    }, { versions: '>=1', targets: ['cp313-*'], note: 'line "one"' }))
    await recipes.set(site({ skip: 'never here' }, { project: 'other' }))
    await recipes.learn({ project: 'other', version: '1', target: TARGET, recipe: { apks: ['x'] }, note: undefined, evidence: { build: 1 } })
    const before = await recipes.list()
    const text = await recipes.export()
    expect(text).toMatch(/^# set by admin on \d{4}-\d\d-\d\d\n\[\[recipe\]\]\nproject = "demo"/)
    expect(text).toContain('memory = "8g"')
    expect(await recipes.export('demo')).not.toContain('never here')
    for (const { id } of before) await recipes.remove(id)
    const again = await recipes.import(text, 'backup.toml', 'bob')
    expect(again.map(({ project, versions, targets, recipe, note }) => ({ project, versions, targets, recipe, note })))
      .toEqual(before.map(({ project, versions, targets, recipe, note }) => ({ project, versions, targets, recipe, note })))
    expect(await recipes.list()).toHaveLength(3)
    await recipes.import(text, 'backup.toml')
    expect(await recipes.list(), 'twice is once').toHaveLength(3)
  })
})

test('jobs that were queued by the built-in recipes of an older version follow those of today', async () => {
  const wish = async (project: string) => (await bench.wish({ project, recipe: (await of('1.0', project)).digest })).id
  const [demo, other] = [await wish('demo'), await wish('other')]
  const newer = make({ ...FILES, demo: 'apks = ["demo2-dev"]\n' })
  await newer.catchUp()
  expect(await bench.job(demo)).toMatchObject({ state: 'queued', recipe: (await of('1.0', 'demo', newer)).digest })
  expect((await bench.job(demo)).recipe).not.toBe((await of()).digest)
  expect((await bench.job(other)).recipe).toBe('')
})

test('apks that are added at once are all there', async () => {
  await Promise.all([recipes.addApks('cffi', ['a-dev']), recipes.addApks('cffi', ['b-dev']), recipes.addApks('cffi', ['c-dev'])])
  expect((await recipes.list()).map(({ recipe }) => recipe.apks?.toSorted())).toEqual([['a-dev', 'b-dev', 'c-dev']])
})

describe('a learnt recipe', () => {
  const learn = (recipe: Partial<Recipe>, build: number, project = 'cffi', target = TARGET) => recipes.learn({ project, version: '1.0', target, recipe, note: `by build ${build}`, evidence: { build } })
  const learnt = async (project = 'cffi') => (await recipes.list()).filter((one) => one.origin === 'learnt' && one.project === project)

  test('is stored once, united with what was learnt before, with the evidence of both', async () => {
    await learn({ apks: ['libffi-dev'] }, 1)
    await learn({ apks: ['libffi-dev'] }, 2)
    expect(await learnt()).toMatchObject([{ recipe: { apks: ['libffi-dev'] }, evidence: [{ build: 1 }], createdBy: 'muslin', versions: undefined, targets: undefined }])
    await learn({ apks: ['libffi-dev', 'pkgconf'] }, 3)
    expect(await learnt()).toMatchObject([{ recipe: { apks: ['libffi-dev', 'pkgconf'] }, evidence: [{ build: 1 }, { build: 3 }], note: 'by build 3' }])
    expect((await of('2', 'cffi')).recipe.apks).toEqual(['libffi-dev', 'pkgconf'])
  })

  test('is for all releases in its apks, for the one that was built in all else, for its Python in what requirements are held to', async () => {
    await learn({ apks: ['libffi-dev'], constraints: ['setuptools==57.0.0'] }, 1)
    await learn({ constraints: ['cython<3'], env: { CFLAGS: '-Wno-error' } }, 2)
    await learn({ constraints: ['numpy<2'] }, 3, 'cffi', 'cp311-musllinux_1_2_x86_64')
    expect((await learnt()).map(({ versions, targets, recipe }) => [versions, targets, recipe])).toEqual([
      [undefined, undefined, { apks: ['libffi-dev'] }], ['==1.0', undefined, { env: { CFLAGS: '-Wno-error' } }],
      ['==1.0', ['cp313-*'], { constraints: ['setuptools==57.0.0', 'cython<3'] }], ['==1.0', ['cp311-*'], { constraints: ['numpy<2'] }],
    ])
    expect((await of('2', 'cffi')).recipe).toMatchObject({ apks: ['libffi-dev'], constraints: [], env: {} })
    const on = async (target: string) => (await recipes.forProject('cffi'))('1.0', target).recipe.constraints
    expect(await Promise.all(['cp313-musllinux_1_2_aarch64', 'cp311-musllinux_1_2_x86_64', 'cp314-musllinux_1_2_x86_64'].map(on))).toEqual([['setuptools==57.0.0', 'cython<3'], ['numpy<2'], []])
  })

  test('says nothing that is built in, nor about what a person wrote', async () => {
    await learn({ apks: ['demo-dev'] }, 1, 'demo')
    expect(await learnt('demo')).toEqual([])
    await recipes.set(site({ apks: ['!x'], env: { A: '' }, requires: ['flit'] }))
    await learn({ apks: ['x', 'y'], env: { A: '1', B: '1' }, requires: ['setuptools'], constraints: ['numpy<2'] }, 2, 'demo')
    expect((await learnt('demo')).map(({ recipe }) => recipe)).toEqual([{ apks: ['y'] }, { env: { B: '1' } }, { constraints: ['numpy<2'] }])
    expect((await of()).recipe).toMatchObject({ apks: ['demo-dev', 'zlib-dev', 'y'], env: { A: '', B: '1' }, requires: ['flit'] })
  })

  test('is not kept back by a built-in one for other releases', async () => {
    await learn({ constraints: ['cython<3'] }, 1, 'demo')
    expect((await learnt('demo'))[0]?.recipe).toEqual({ constraints: ['cython<3'] })
  })
})

test('when a recipe changes, jobs that wait are of the new one, what is built is found under it, and what runs, failed or was a trial is left', async () => {
  const digest = (await of('1.0', 'cffi')).digest
  const sdist = (n: number) => ({ sha256: String(n).repeat(64), filename: `cffi-${n}.tar.gz` })
  const wish = (n: number, kind: 'build' | 'trial' = 'build') => bench.wish({ kind, project: 'cffi', version: `${n}`, sdist: sdist(n), recipe: digest })
  const [failed, done, tried, running, queued] = [await wish(1), await wish(2), await wish(3, 'trial'), await wish(4), await wish(5)]
  await bench.store.jobs.fail((await bench.claim()).build, { class: 'build-failed', key: '' }, undefined, 1)
  await bench.store.jobs.done((await bench.claim()).build, {}, 1)
  await bench.store.jobs.done((await bench.claim()).build, {}, 1)
  await bench.claim()
  await recipes.learn({ project: 'cffi', version: '1.0', target: TARGET, recipe: { apks: ['libffi-dev'] }, note: undefined, evidence: { build: 1 } })
  const anew = (await of('1.0', 'cffi')).digest
  expect(await Promise.all([failed, done, tried, running, queued].map(async ({ id }) => (await bench.job(id)).recipe))).toEqual(['', anew, '', '', anew])
})
