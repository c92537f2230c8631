import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Contents, wheelContents, zip } from '../fixtures/make-wheel.ts'
import { lockOf, put } from '../recording/folder.ts'
import { expectInstalled } from './installed.ts'

const WHEEL = wheelContents({ 'demo/__init__.py': 'x = 1\n', 'demo/data.bin': new Uint8Array([1, 2, 3]), 'demo-1.0.data/scripts/demo': '#!python\n' })
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muslin-installed-'))
  await put(lockOf(folder), 'demo==1.0 \\\n    --hash=sha256:00\n')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function record(filename: string, contents: Contents): Promise<void> {
  await put(join(folder, 'files', '0'.repeat(64), filename), Buffer.from(await zip(contents)))
}

/** As an installer does: with notes of its own, and scripts elsewhere. */
async function install(contents: Contents): Promise<void> {
  for (const [path, bytes] of Object.entries({ ...contents, 'demo-1.0.dist-info/INSTALLER': 'pip\n', 'demo-1.0.dist-info/RECORD': 'its own\n' })) {
    if (path.includes('.data/')) continue
    await mkdir(dirname(join(folder, 'lib', path)), { recursive: true })
    await writeFile(join(folder, 'lib', path), bytes)
  }
}

const look = () => expectInstalled(join(folder, 'lib'), folder, ['demo'])

test('a recorded wheel is what is installed, whichever of them', async () => {
  await record('demo-1.0-cp313-cp313-musllinux_1_2_x86_64.whl', WHEEL)
  await record('Demo-1.0-py3-none-any.whl', wheelContents({ 'demo.py': '' }))
  await install(WHEEL)
  await look()
})

test('another wheel of the same version is none of them, though its RECORD is right', async () => {
  await record('demo-1.0-py3-none-any.whl', WHEEL)
  await install(wheelContents({ 'demo/__init__.py': 'x = 2\n', 'demo/data.bin': new Uint8Array([1, 2, 3]) }))
  await expect(look()).rejects.toThrow('is not demo-1.0-py3-none-any.whl: demo/__init__.py has other bytes')
})

test('nothing, a part, and what was never recorded is no such thing', async () => {
  await expect(look()).rejects.toThrow('no wheel of demo 1.0 is recorded')
  await record('demo-1.0-py3-none-any.whl', WHEEL)
  await expect(look()).rejects.toThrow('is not installed')
  const { 'demo/data.bin': _, ...part } = WHEEL
  await install(part)
  await expect(look()).rejects.toThrow('demo/data.bin is not installed')
  await record('demo-1.0-py3-none-any.whl', {})
  await expect(look()).rejects.toThrow('empty')
})
