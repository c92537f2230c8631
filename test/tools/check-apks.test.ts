import { mkdir, writeFile } from 'node:fs/promises'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ApkEntry } from '../../src/domain/apk-index.ts'
import { APK_NAME } from '../../src/domain/missing.ts'
import { apkUses, checkApks } from '../../tools/check-apks.ts'
import { makeApk, makeRepository } from '../standin/apk/repository.ts'
import { temporaryFolder } from '../storage/folder.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => { place = await temporaryFolder() })
afterEach(() => place.remove())

function entry(name: string, provides: string[] = []): ApkEntry {
  return { name, version: '1-r0', arch: 'x86_64', size: 1, checksum: 'Q1', origin: name, provides, depends: [], description: '' }
}

test('names are looked for where we have them: tables, recipes, the image, toolchains', async () => {
  await mkdir(join(place.folder, 'recipes'))
  await mkdir(join(place.folder, 'alpine'))
  await writeFile(join(place.folder, 'missing.json'), JSON.stringify({ headers: { 'ffi.h': ['libffi-dev', 'libffi8-dev'] }, modules: { yaml: 'pyyaml' }, absent: { headers: { 'execinfo.h': 'dropped' } } }))
  await writeFile(join(place.folder, 'recipes/p.toml'), 'apks = ["a-dev", "!b-dev"]\nruntimeApks = ["c"]\n')
  await writeFile(join(place.folder, 'alpine/setup.sh'), 'set -eu\napk add --no-cache build-base patchelf\n')
  const uses = await apkUses(place.folder)
  expect(uses.slice(0, 4)).toEqual([
    { where: 'missing.json, headers: ffi.h', names: ['libffi-dev', 'libffi8-dev'], any: true },
    { where: 'recipes/p.toml', names: ['a-dev'], any: false },
    { where: 'recipes/p.toml', names: ['c'], any: false },
    { where: 'alpine/setup.sh', names: ['build-base', 'patchelf'], any: false },
  ])
  expect(uses[4]?.names).toEqual(expect.arrayContaining(['cargo', 'gfortran', 'swig']))
})

test('a place is dead where nothing is left of what it names', () => {
  const uses = [
    { where: 'one of two is here', names: ['gone-dev', 'here-dev'], any: true },
    { where: 'none is here', names: ['gone-dev', 'gone8-dev'], any: true },
    { where: 'both are wanted', names: ['here-dev', 'gone-dev'], any: false },
    { where: 'provided', names: ['pc:here', 'cmd:here-config'], any: false },
  ]
  expect(checkApks(uses, [entry('here-dev', ['pc:here=1']), entry('tools', ['cmd:here-config=1'])])).toEqual({
    dead: [{ where: 'none is here', names: ['gone-dev', 'gone8-dev'] }, { where: 'both are wanted', names: ['gone-dev'] }],
    absent: [{ where: 'one of two is here', names: ['gone-dev'] }],
  })
})

test('all of ours are names, and an index that has them all leaves none', async () => {
  const uses = await apkUses()
  const names = [...new Set(uses.flatMap((use) => use.names))]
  expect(names.filter((name) => !APK_NAME.test(name))).toEqual([])
  expect(names.length).toBeGreaterThan(400)
  const entries = names.map((name) => entry(name.replace(':', '-'), name.includes(':') ? [name] : []))
  expect(checkApks(uses, entries)).toEqual({ dead: [], absent: [] })
})

test('the command reads indexes, tells what they lack, and ends with 1', async () => {
  const key = { name: 'test.rsa.pub', privateKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
  const repository = await makeRepository([await makeApk({ name: 'libffi-dev', version: '3.4.4-r0' }, key)], key)
  const index = join(place.folder, 'APKINDEX.tar.gz')
  await writeFile(index, repository.get('x86_64/APKINDEX.tar.gz') ?? '')
  const run = await execa('node_modules/.bin/node', ['tools/check-apks.ts', index], { reject: false })
  expect(run.exitCode).toBe(1)
  expect(run.stdout).toMatch(/^DEAD {2}alpine\/setup\.sh: .*build-base/m)
  expect(run.stdout).toMatch(/^\d+ places, 1 apks: \d+ dead, /m)
  expect(run.stdout).not.toMatch(/^DEAD .*: libffi-dev$/m)
  expect((await execa('node_modules/.bin/node', ['tools/check-apks.ts'], { reject: false })).exitCode).toBe(2)
  await writeFile(index, 'no index')
  expect((await execa('node_modules/.bin/node', ['tools/check-apks.ts', index], { reject: false })).exitCode).toBe(1)
})
