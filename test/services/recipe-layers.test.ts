/** What recipes of a site say together, after one of them was written anew. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRecipes } from '../../src/services/recipes.ts'
import { createRecipeFiles } from '../../src/storage/recipe-files.ts'
import { type Bench, makeBench, TARGET } from './bench.ts'

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

const of = async (version = '1.0') => (await bench.recipes.forProject('demo'))(version, TARGET).recipe
const load = (text: string) => bench.recipes.import(`project = "demo"\n${text}`, 'demo.toml')

describe('a file is merged in its order', () => {
  const FILE = '[[recipe]]\nskip = "not here"\nenv = { X = "1" }\n[[recipe]]\nversions = "<2"\nskip = ""\nenv = { X = "0" }\n'

  test('also after apks were added to its recipe for all releases', async () => {
    const before = await load(FILE)
    await bench.recipes.addApks('demo', ['libffi-dev'])
    expect(await of()).toMatchObject({ skip: undefined, env: { X: '0' }, apks: ['libffi-dev'] })
    expect(await of('2.0')).toMatchObject({ skip: 'not here', env: { X: '1' }, apks: ['libffi-dev'] })
    expect((await bench.recipes.list()).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
  })

  test('also where one of it was there already, as the only one', async () => {
    await load('versions = "<2"\nenv = { X = "5" }\n')
    await load(FILE)
    expect(await of()).toMatchObject({ skip: undefined, env: { X: '0' } })
  })
})

test('apks that are added change the last of several recipes for all releases, and lose nothing of the others', async () => {
  await load(`[[recipe]]
note = "learnt elsewhere"
apks = ["a", "!b"]
constraints = ["cython<3"]
env = { X = "1" }
exclude = ["libfoo.so.*"]
runtimeApks = ["tzdata"]
[[recipe]]
versions = "<2"
env = { X = "0" }
[[recipe]]
note = "set"
apks = ["c", "!d", "!e"]
constraints = ["!cython<3", "cython<4"]
env = { Y = "1" }
`)
  const before = await of()
  expect((await bench.recipes.addApks('demo', ['d', 'b'], 'ann'))).toMatchObject({ note: 'set', createdBy: 'ann', recipe: { apks: ['c', '!e', 'd', 'b'], env: { Y: '1' } } })
  expect(await of()).toEqual({ ...before, apks: ['a', 'c', 'd', 'b'], refusedApks: ['e'] })
  expect((await bench.recipes.list()).map(({ note, createdBy }) => [note, createdBy])).toEqual([['learnt elsewhere', 'admin'], [undefined, 'admin'], ['set', 'ann']])
})

test('what several builds found out at once is all kept', async () => {
  // Both have read what is stored before either writes.
  const meet = Promise.withResolvers<void>()
  let readers = 0
  const files = createRecipeFiles()
  const builtIn = { ...files, async read(project: string) {
    if (++readers === 2) meet.resolve()
    await meet.promise
    return files.read(project)
  } }
  const worker = () => createRecipes({ builtIn, recipes: bench.store.recipes, jobs: bench.store.jobs, clock: bench.clock })
  await Promise.all(['a-dev', 'b-dev'].map((apk) => worker().learn({ project: 'demo', version: '1.0', target: TARGET, recipe: { apks: [apk] }, note: undefined, evidence: { apk } })))
  const [learnt, ...others] = await bench.recipes.list()
  expect([learnt?.recipe.apks?.toSorted(), others]).toEqual([['a-dev', 'b-dev'], []])
  expect(learnt?.evidence).toHaveLength(2)
})
