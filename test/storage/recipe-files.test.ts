import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { normalizeName } from '../../src/domain/names.ts'
import { readRecipes } from '../../src/services/recipe-text.ts'
import { createRecipeFiles } from '../../src/storage/recipe-files.ts'
import { temporaryFolder } from './folder.ts'

test('a file is found by its project, and nothing else is', async () => {
  const { folder, remove } = await temporaryFolder()
  await writeFile(join(folder, 'demo.toml'), 'apks = ["x"]\n')
  await writeFile(join(folder, 'README.md'), '')
  await mkdir(join(folder, 'sub'))
  const files = createRecipeFiles({ folder })
  expect(await files.projects()).toEqual(['demo'])
  expect(await files.read('demo')).toEqual({ name: 'builders/recipes/demo.toml', text: 'apks = ["x"]\n' })
  expect([await files.read('other'), await files.read('../demo'), await files.read('README.md')]).toEqual([undefined, undefined, undefined])
  await remove()
})

test('every built-in recipe can be used, is for the project that names its file, and says something', async () => {
  const files = createRecipeFiles()
  const projects = await files.projects()
  expect(projects.length).toBeGreaterThan(250)
  for (const project of projects) {
    const { name, text } = (await files.read(project))!
    const layers = readRecipes(text, { file: name, origin: 'built-in', project })
    expect(normalizeName(project)).toBe(project)
    for (const layer of layers) {
      expect(layer.project, name).toBe(project)
      expect(Object.keys(layer.recipe), name).not.toEqual([])
      // An upstream's CI that downloads is an admin's decision, and what every builder image has need not be said.
      expect(layer.recipe.network, name).toBeUndefined()
      expect(layer.recipe.apks?.filter((apk) => ['build-base', 'linux-headers', 'pkgconf', 'file', 'musl-dev', 'patchelf'].includes(apk)) ?? [], name).toEqual([])
    }
  }
})

test('what would come out poorer without a word is known before its first build', async () => {
  const files = createRecipeFiles()
  for (const [project, apk] of [['pyyaml', 'yaml-dev'], ['google-crc32c', 'crc32c-dev'], ['ijson', 'yajl-dev'], ['rapidfuzz', 'cmake'], ['pyvips', 'vips-dev']] as const) {
    const [layer] = readRecipes((await files.read(project))!.text, { file: '', origin: 'built-in', project })
    expect(layer?.recipe, project).toMatchObject({ apks: expect.arrayContaining([apk]), expected: 'native' })
  }
})
