/** The CI job of docs/locks.md for a runner that has Python alone, as it stands there, against a real server. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ADMIN_TOKEN, makeRig, type Rig } from '../http/rig.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { sha256 } from '../synthetic-upstream.ts'

let rig: Rig
let cwd: string
let remove: () => Promise<void>
beforeEach(async () => {
  rig = await makeRig()
  rig.upstream.project('alpha', [{ filename: 'alpha-1.0.tar.gz', bytes: Buffer.from('alpha') }])
  rig.upstream.project('windows', [{ filename: 'windows-1.0-cp313-cp313-win_amd64.whl', bytes: Buffer.from('windows') }])
  await rig.ready()
  ;({ folder: cwd, remove } = await temporaryFolder())
})
afterEach(async () => { await rig.close(); await remove() })

const page = await readFile(join(import.meta.dirname, '../../docs/locks.md'), 'utf8')
const script = [...page.matchAll(/^```python\n(.*?)^```$/gms)].map(([, text = '']) => text).find((text) => text.includes('/api/v1/lock-hashes'))!

async function ci(lock: string) {
  await writeFile(join(cwd, 'requirements.txt'), lock)
  const { exitCode, stdout, stderr } = await execa('python3', ['-c', script.replace('https://muslin.example', rig.url)], { cwd, reject: false, env: { PATH: process.env['PATH'] ?? '' }, extendEnv: false })
  return { exitCode, stdout, stderr }
}

async function added(text: string): Promise<string> {
  const body = JSON.stringify({ targets: ['cp313-musllinux_1_2_x86_64'], files: [{ name: 'requirements.txt', text }] })
  const answer = await fetch(new URL('/api/v1/lock-hashes', rig.url), { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return ((await answer.json()) as { files: [{ text: string }] }).files[0].text
}

test('it is red while a hash is missing or would be built, green with what cannot be had, and says what the server refuses', async () => {
  const lock = `alpha==1.0 \\\n    --hash=sha256:${sha256('alpha')}\n`
  const other = `windows==1.0 --hash=sha256:${sha256('windows')}\n`
  expect(await ci(lock)).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^to-build alpha 1\.0 cp313-musllinux_1_2_x86_64/) })
  const body = JSON.stringify({ project: 'alpha' })
  await fetch(new URL('/api/v1/jobs', rig.url), { method: 'POST', body, headers: { 'content-type': 'application/json', 'authorization': `Bearer ${ADMIN_TOKEN}` } })
  await rig.publish(await rig.claim(), Buffer.from('the wheel'), 'Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n')
  expect(await ci(lock)).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^added alpha 1\.0 cp313/) })
  const text = await added(lock)
  expect(await ci(text)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(await ci(`${text}${other}`)).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^cannot windows 1\.0 /) })
  expect(await ci('alpha==1.0\n')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('bad-lock') })
})
