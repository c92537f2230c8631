import { expect, test } from 'vitest'
import type { StoredRecipe } from '../../../src/services/ports.ts'
import type { StoreBench } from './bench.ts'

/** Recipes, results and kept files: what a builder has from earlier. */
export function recipesContract({ store, another, running }: StoreBench): void {
  const recipe: Omit<StoredRecipe, 'id'> = {
    project: 'cffi', origin: 'learnt', versions: '>=1', targets: ['cp313-*'], recipe: { apks: ['libffi-dev'] }, note: 'by build 3', evidence: { rounds: 2 },
    createdBy: 'muslin', createdAt: 5,
  }

  test('a recipe is found by its project, in any process, until it is removed', async () => {
    const { id } = await store.recipes.add(recipe)
    const bare = await store.recipes.add({
      project: 'argon2-cffi', origin: 'site', versions: undefined, targets: undefined, recipe: {}, note: undefined, evidence: undefined, createdBy: 'admin', createdAt: 6,
    })
    const other = await another()
    expect(await other.recipes.of('cffi')).toEqual([{ ...recipe, id }])
    expect((await store.recipes.all()).map(({ project }) => project)).toEqual(['argon2-cffi', 'cffi'])
    expect(await other.recipes.of('argon2-cffi')).toEqual([bare])
    expect([await store.recipes.remove(id), await store.recipes.remove(id)]).toEqual([true, false])
    expect(await other.recipes.of('cffi')).toEqual([])
  })

  test('a recipe may change what the page of its project says', async () => {
    const before = await store.generation('cffi')
    const { id } = await store.recipes.add({ ...recipe, targets: undefined })
    const between = await store.generation('cffi')
    await store.recipes.remove(id)
    expect([between > before, await store.generation('cffi') > between]).toEqual([true, true])
  })

  test('a recipe takes the place of those of its scope, several at once or none, made of what was there', async () => {
    const site = { ...recipe, origin: 'site' as const, evidence: undefined }
    const kept = [await store.recipes.add(recipe), await store.recipes.add({ ...site, versions: undefined }), await store.recipes.add({ ...site, project: 'other' })]
    await store.recipes.add({ ...site, targets: ['cp312-*', 'cp313-*'] })
    const before = await store.generation('cffi')
    const two = [{ ...site, targets: ['cp313-*', 'cp312-*'] }, { ...site, targets: ['cp313-*', 'cp312-*'], note: 'the second' }]
    const stored = await store.recipes.replace(two)
    expect((await store.recipes.all()).map(({ id }) => id).toSorted()).toEqual([...kept, ...stored].map(({ id }) => id).toSorted())
    expect(await store.generation('cffi')).toBeGreaterThan(before)
    const broken = { ...site, project: 'third', get note(): string { throw new Error('no') } }
    await expect(store.recipes.replace([two[0]!, broken])).rejects.toThrow('no')
    await expect(store.recipes.change('cffi', () => [two[0]!, broken])).rejects.toThrow('no')
    expect(await store.recipes.all(), 'as it was').toHaveLength(5)
    const processes = [store, await another()]
    const general = (all: StoredRecipe[]) => all.filter(({ origin, versions }) => origin === 'site' && versions === undefined)
    await Promise.all(['a', 'b', 'c', 'd'].map((apk, at) => processes[at % 2]!.recipes.change('cffi', (all) =>
      [{ ...site, versions: undefined, recipe: { apks: [...general(all).flatMap((old) => old.recipe.apks ?? []), apk].toSorted() } }])))
    expect(general(await store.recipes.of('cffi')).map((one) => one.recipe.apks)).toEqual([['a', 'b', 'c', 'd', 'libffi-dev']])
    expect(await store.recipes.change('cffi', () => [])).toEqual([])
    expect(await store.recipes.all()).toHaveLength(5)
  })

  test('a recipe in the place of another comes at its turn, several in the order in which they are given, and no other gets its id', async () => {
    const scope = (versions: string | undefined, note?: string) => ({ ...recipe, versions, note })
    const order = async () => (await store.recipes.of('cffi')).map(({ id, note }) => [id, note])
    const [general, old] = await store.recipes.replace([scope(undefined, 'all'), scope('<2', 'old')])
    expect(await store.recipes.replace([scope(undefined, 'all, newer')])).toMatchObject([{ id: general!.id, note: 'all, newer' }])
    expect(await order()).toEqual([[general!.id, 'all, newer'], [old!.id, 'old']])
    const three = await store.recipes.replace([scope('<2', 'first'), { ...scope(undefined, 'of another'), project: 'other' }, scope(undefined, 'last'), scope('<1', 'none before it')])
    expect(await order()).toEqual([[old!.id, 'first'], [three[2]!.id, 'last'], [three[3]!.id, 'none before it']])
    expect(three[2]!.id).toBeGreaterThan(old!.id)
    const twice = [scope('<1', 'one'), scope('<1', 'two')]
    const both = await store.recipes.replace(twice)
    expect(both[0]!.id).toBe(three[3]!.id)
    expect(await store.recipes.replace(twice), 'again').toEqual(both)
  })

  test('a result is found by its sdist and recipe, with what its build found of its system; the newest of a name counts', async () => {
    const { build } = await running()
    const result = { sdist: 'a'.repeat(64), recipe: 'r', filename: 'cffi-1.17-cp38-abi3-musllinux_1_2_x86_64.whl', sha256: 'b'.repeat(64), size: 3, build }
    const system = { repositories: ['apk/v3.21/main'], arch: 'x86_64', bundled: [{ apk: 'libffi', version: '3.4.7-r0', library: 'libffi.so.8' }], runtime: ['libffi'] }
    await store.results.put({ ...result, system: undefined }, 5)
    expect(await store.results.of(result.sdist, 'r')).toEqual([{ ...result, system: undefined }])
    await store.results.put({ ...result, sha256: 'c'.repeat(64), system }, 6)
    expect(await (await another()).results.of(result.sdist, 'r')).toEqual([{ ...result, sha256: 'c'.repeat(64), system }])
    expect(await store.results.of(result.sdist, '')).toEqual([])
  })

  test('a kept file is known by its path, and the newest counts', async () => {
    const file = { path: 'apk/v3.21/main/x86_64/APKINDEX.tar.gz', sha256: 'a'.repeat(64), size: 3, etag: '"1"', fetchedAt: 7 }
    expect(await store.kept.get(file.path)).toBeUndefined()
    await store.kept.put(file)
    await store.kept.put({ ...file, sha256: 'b'.repeat(64), etag: undefined, fetchedAt: 8 })
    expect(await store.kept.get(file.path)).toEqual({ ...file, sha256: 'b'.repeat(64), etag: undefined, fetchedAt: 8 })
    expect(await store.kept.source('apk/v3.21/main')).toBeUndefined()
    await store.kept.setSource('apk/v3.21/main', 'https://alpine.example/v3.21/main')
    await store.kept.setSource('apk/v3.21/main', 'https://other.example/v3.21/main')
    expect(await (await another()).kept.source('apk/v3.21/main')).toBe('https://other.example/v3.21/main')
  })
}
