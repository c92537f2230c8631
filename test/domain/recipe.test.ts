import { expect, test } from 'vitest'
import { layersFor, mergeRecipes, NO_RECIPE, type Recipe, type RecipeLayer } from '../../src/domain/recipe.ts'

const TARGET = 'cp313-musllinux_1_2_x86_64'
const layer = (recipe: Partial<Recipe>, more: Partial<RecipeLayer> = {}): RecipeLayer => ({ project: 'demo', versions: undefined, targets: undefined, origin: 'built-in', recipe, note: undefined, ...more })
const merged = (...layers: RecipeLayer[]) => mergeRecipes(layers, '2.0', TARGET)

test('nothing applies where nothing is written', () => {
  expect(merged()).toEqual(NO_RECIPE)
  expect(merged(layer({ apks: ['x'] }, { versions: '<2' }), layer({ apks: ['y'] }, { targets: ['*_aarch64'] }))).toEqual(NO_RECIPE)
})

test('built-in goes before learnt goes before the site\'s, however they are given: lists are united in order, maps merged, the rest overridden', () => {
  const site = layer({ apks: ['c', 'a'], env: { A: '3' }, check: 'import demo', limits: { memory: 3 }, requires: [] }, { origin: 'site' })
  const learnt = layer({ apks: ['b'], env: { A: '2', B: '2' }, constraints: ['cython<3'], limits: { memory: 2, time: 2 }, network: true }, { origin: 'learnt' })
  const builtIn = layer({ apks: ['a', 'b'], env: { A: '1', C: '1' }, check: 'import other', expected: 'native', requires: ['setuptools'], configSettings: { x: ['1'] } })
  expect(merged(site, learnt, builtIn)).toEqual({
    ...NO_RECIPE, apks: ['a', 'b', 'c'], env: { A: '3', B: '2', C: '1' }, check: 'import demo', constraints: ['cython<3'], limits: { memory: 3, time: 2 },
    network: true, expected: 'native', requires: [], configSettings: { x: ['1'] },
  })
})

test('an entry with ! takes one of earlier layers out, an empty skip lifts an earlier one, a patch takes the place of its name', () => {
  const below = layer({ apks: ['openssl-dev', 'zlib-dev'], skip: 'no sdist', network: true, patches: [{ name: 'a', text: '1' }, { name: 'b', text: '1' }] })
  const above = layer({ apks: ['!openssl-dev', 'libressl-dev'], skip: '', network: false, patches: [{ name: 'a', text: '2' }] }, { origin: 'site' })
  expect(merged(below, above)).toMatchObject({ apks: ['zlib-dev', 'libressl-dev'], skip: undefined, network: false, patches: [{ name: 'b', text: '1' }, { name: 'a', text: '2' }] })
  expect(merged(below).skip).toBe('no sdist')
})

test('what is taken out of the apks is refused to builds too, until a later layer names it again', () => {
  const refusing = layer({ apks: ['!x-dev', '!y-dev'], runtimeApks: ['!z'] }, { origin: 'learnt' })
  expect(merged(refusing)).toEqual({ ...NO_RECIPE, refusedApks: ['x-dev', 'y-dev'] })
  expect(merged(layer({ apks: ['x-dev'] }), refusing, layer({ apks: ['y-dev', '!x-dev'] }, { origin: 'site' }))).toMatchObject({ apks: ['y-dev'], refusedApks: ['x-dev'] })
})

test.each([
  ['>=2,<3', '2.0', true], ['>=2', '2.0rc1', false], ['>=2.0a1', '2.0rc1', true], ['<2', '2.0rc1', false], ['<3', '2.0rc1', true], ['==2.*', '2.5.dev1', true],
  ['>=2', 'no version', false], ['no specifier', '2.0', false], [undefined, 'no version', true],
])('versions %s hold %s: %s, prereleases like any other version', (versions, version, fits) => {
  expect(layersFor([layer({}, { versions })], version, TARGET)).toHaveLength(fits ? 1 : 0)
})

test.each([
  [[TARGET], true], [['cp313-*'], true], [['*'], true], [['*_x86_64'], true], [['cp31*-musllinux_1_*'], true], [['cp312-*', 'cp313-*'], true],
  [['cp31'], false], [['*_aarch64'], false], [['*cp313-musllinux_1_2_x86_64*64'], false], [['cp313-musllinux_1_2_x86_6*64'], false], [[''], false], [[], false],
])('targets %j: %s', (targets, fits) => {
  expect(layersFor([layer({}, { targets })], '1', TARGET)).toHaveLength(fits ? 1 : 0)
})

test('a pattern of stars is no work', () => {
  const began = performance.now()
  layersFor([layer({}, { targets: [`${'*a'.repeat(5000)}b`] })], '1', 'a'.repeat(20_000))
  expect(performance.now() - began).toBeLessThan(1000)
})
