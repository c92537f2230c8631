/** The recipe commands on the real server over real storage. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../src/main.ts'
import { ADMIN_TOKEN, makeRig, type Rig, TARGET } from '../http/rig.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { testContext } from './context.ts'

let rig: Rig
let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  rig = await makeRig()
  folder = await temporaryFolder()
})
afterEach(async () => {
  await rig.close()
  await folder.remove()
})

async function muslin(words: string[], { token = ADMIN_TOKEN, input = '' } = {}) {
  const context = testContext({ env: { MUSLIN_SERVER: rig.url, MUSLIN_TOKEN: token }, cwd: folder.folder, clock: rig.clock, read: async () => Buffer.from(input) })
  const exit = await run(words, context)
  return { exit, out: context.printed.join('\n'), err: context.warned.join('\n') }
}

test('a recipe is set by flags, shown, listed and removed', async () => {
  const set = await muslin(['recipe', 'set', 'PyYAML', '--apk', '!yaml-dev', '--apk', 'libyaml-dev', '--env', 'CFLAGS=-O1 -g=3', '--config-setting', 'a=1', '--config-setting', 'b=1',
    '--config-setting', 'b=2', '--constraint', 'cython<3', '--versions', '<6', '--target', 'cp313-*', '--check', 'import yaml\nassert yaml.__with_libyaml__', '--limit', 'memory=8g',
    '--no-network', '--expected', 'native', '--skip', '', '--note', 'for old ones', '--exclude', 'libfoo.so.*', '--runtime-apk', 'yaml', '--requires', 'setuptools<60'])
  expect(set).toEqual({ exit: 0, err: '', out: 'recipe 1 is set: pyyaml <6 on cp313-*' })
  const shown = await muslin(['recipe', 'show', 'pyyaml'])
  expect(shown.out.split('\n')).toEqual([
    'built-in  pyyaml', expect.stringMatching(/^ {2}note {6}Without/), '  apks      yaml-dev', '  expected  native', '',
    'site (1)  pyyaml <6 on cp313-*  just now by admin', '  note            for old ones', '  apks            !yaml-dev libyaml-dev', '  runtimeApks     yaml', '  env             CFLAGS=-O1 -g=3',
    '  configSettings  a=1 b=1,2', '  constraints     cython<3', '  requires        setuptools<60', '  exclude         libfoo.so.*', '  check           import yaml', '  limits          memory=8g',
    '  network         false', '  expected        native', '  skip            ""',
  ])
  const json = JSON.parse((await muslin(['recipe', 'show', 'pyyaml', '--json'])).out)
  expect(json.layers[1]).toMatchObject({ id: 1, check: 'import yaml\nassert yaml.__with_libyaml__', configSettings: { a: '1', b: ['1', '2'] }, limits: { memory: '8g' }, skip: '' })
  expect((await muslin(['recipe', 'list'])).out).toMatch(/id {2}origin.*\n 1 {2}site +pyyaml <6 on cp313-\* +apks !yaml-dev libyaml-dev; [^\n]*\n\n\d+ projects have a built-in one/)
  expect(await muslin(['recipe', 'remove', '1'])).toMatchObject({ exit: 0, out: 'recipe 1 is gone: pyyaml <6 on cp313-*' })
  expect((await muslin(['recipe', 'list'])).out).toContain('this site has no recipe of its own')
  expect(await muslin(['recipe', 'remove', '1'])).toMatchObject({ exit: 3, err: expect.stringContaining('no recipe of this site has the number 1') })
  expect((await muslin(['recipe', 'show', 'unknown'])).out).toBe('unknown has no recipe; muslin recipe set unknown --apk NAME makes one')
})

test('what a recipe skips cannot be had', async () => {
  rig.upstream.project('demo', [{ filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }])
  await rig.ready()
  await muslin(['recipe', 'set', 'demo', '--skip', 'its client is for glibc alone'])
  expect(await muslin(['build', 'demo'])).toMatchObject({ exit: 2, err: expect.stringContaining('demo 1.0 is not built here: its client is for glibc alone') })
  await writeFile(join(folder.folder, 'requirements.txt'), 'demo==1.0\n')
  expect((await muslin(['plan', 'requirements.txt', '--check'])).exit).toBe(2)
})

test('recipes go into a file and out of it again', async () => {
  await muslin(['recipe', 'set', 'demo', '--apk', 'zlib-dev', '--check', 'import demo\n'])
  await muslin(['recipe', 'set', 'other', '--skip', 'glibc "alone"'])
  const { out } = await muslin(['recipe', 'export'])
  await writeFile(join(folder.folder, 'all.toml'), out)
  expect((await muslin(['recipe', 'export', 'other'])).out).not.toContain('demo')
  for (const id of ['1', '2']) await muslin(['recipe', 'remove', id])
  expect(await muslin(['recipe', 'import', 'all.toml', '-'], { input: 'project = "third"\nnetwork = true\n' })).toMatchObject({ exit: 0, out: 'recipe 3 is set: demo\nrecipe 4 is set: other\nrecipe 5 is set: third' })
  expect((await muslin(['recipe', 'export', 'demo'])).out).toBe(out.split('\n\n')[0])
  expect(JSON.parse((await muslin(['recipe', 'export', 'third', '--json'])).out)).toEqual({ toml: expect.stringContaining('network = true') })
  expect((await muslin(['recipe', 'set', 'all.toml'])).out).toContain('demo')
})

test.each([
  [['set', 'demo'], /nothing is said about demo/],
  [['set', 'missing.toml'], /missing\.toml cannot be read \(ENOENT\)/],
  [['set', 'x.toml', '--apk', 'y'], /leave the flags out/],
  [['set', 'demo', '--env', 'x'], /accepted: NAME=VALUE/],
  [['set', 'demo', '--apk', 'Zlib'], /apks\.0: accepted: the name of an apk/],
  [['set', 'demo', '--env', 'PATH=/x'], /env\.PATH: belongs to the sandbox/],
  [['import', 'bad.toml'], /bad\.toml: apks cannot be used; accepted: a list of texts/],
  [['remove', 'x'], /a recipe is named by its number/],
  [['show', '-x'], /unknown option/],
  [['sow'], /unknown command|Did you mean show/],
])('recipe %j is refused by what is wrong', async (words, message) => {
  await writeFile(join(folder.folder, 'bad.toml'), 'apks = 1\n')
  expect(await muslin(['recipe', ...words])).toMatchObject({ exit: 3, err: expect.stringMatching(message) })
})

test('to read recipes needs no token, to set them does', async () => {
  expect((await muslin(['recipe', 'list'], { token: 'wrong' })).exit).toBe(0)
  expect(await muslin(['recipe', 'set', 'demo', '--apk', 'x'], { token: 'wrong' })).toMatchObject({ exit: 3, err: expect.stringContaining('token') })
})

test('a plan names the apks of those who run what it pins, ready to paste', async () => {
  rig.upstream.project('python-magic', [{ filename: 'python_magic-0.4.27-py2.py3-none-any.whl', bytes: Buffer.from('a wheel') }])
  rig.upstream.project('demo', [{ filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }])
  await rig.ready()
  await writeFile(join(folder.folder, 'requirements.txt'), 'python-magic==0.4.27\ndemo==1.0\n')
  await muslin(['recipe', 'set', 'demo', '--runtime-apk', 'tzdata'])
  const lines = (await muslin(['plan', 'requirements.txt', '--runtime-apks'])).out.split('\n')
  expect(lines.at(-1)).toBe('apk add libmagic tzdata')
  expect(lines).toContain(`  python-magic  0.4.27  ${TARGET}  libmagic`)
  expect(JSON.parse((await muslin(['plan', 'requirements.txt', '--json'])).out).lines).toMatchObject([{ runtimeApks: ['libmagic'] }, { runtimeApks: ['tzdata'] }])
  await writeFile(join(folder.folder, 'requirements.txt'), 'demo==1.0\n')
  await muslin(['recipe', 'set', 'demo', '--apk', 'zlib-dev'])
  expect((await muslin(['plan', 'requirements.txt', '--runtime-apks'])).out).toMatch(/nothing of it is known to need an apk where it runs$/)
  expect((await muslin(['plan', 'requirements.txt'])).out).not.toContain('where it runs')
})
