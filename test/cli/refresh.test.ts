import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeRig, type Rig } from '../http/rig.ts'
import type { SyntheticFile } from '../synthetic-upstream.ts'
import { startOn } from './on-rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig() })
afterEach(() => rig.close())

const file = (filename: string, keys: Record<string, unknown> = {}): SyntheticFile => ({ filename, bytes: Buffer.from(filename), keys })

async function muslin(...words: string[]) {
  const run = startOn(rig, words)
  return { exit: await run.exit, out: run.out, err: run.err }
}

test('refresh tells what is new, gone and changed, and what is as before', async () => {
  rig.upstream.project('cffi', [file('cffi-1.0.tar.gz'), file('cffi-1.1.tar.gz')])
  rig.upstream.project('six', [file('six-1.0.tar.gz')])
  for (const project of ['cffi', 'six']) await rig.get(`/simple/${project}/`)
  rig.upstream.project('cffi', [file('cffi-1.1.tar.gz', { yanked: true }), ...Array.from({ length: 12 }, (_, n) => file(`cffi-2.${n}.tar.gz`))])
  expect(await muslin('refresh', 'CFFI', 'six', 'nobody')).toEqual({
    exit: 0, err: [], out: [
      'cffi: 12 new, 1 gone, 1 changed; 13 files',
      ...Array.from({ length: 10 }, (_, n) => `  new      cffi-2.${n}.tar.gz`), '  new      and 2 more',
      '  gone     cffi-1.0.tar.gz', '  changed  cffi-1.1.tar.gz',
      'six: unchanged; 1 file',
      'nobody: unchanged; the upstream knows no such project',
    ],
  })
})

test('a project whose upstream fails keeps none of the others from it, and is told in the end', async () => {
  rig.upstream.project('cffi', [file('cffi-1.0.tar.gz')])
  const { exit, out, err } = await muslin('refresh', '.bad', 'cffi')
  expect([exit, out, err]).toEqual([3, ['cffi: 1 new; 1 file', '  new      cffi-1.0.tar.gz'], [expect.stringContaining('no project name')]])
  await rig.upstream.leave()
  const failed = await muslin('refresh', 'cffi', '--json')
  expect(failed.exit).toBe(1)
  expect(JSON.parse(failed.out.join('\n'))).toMatchObject({ refreshed: [], error: { code: 'upstream-unreachable' } })
  expect((await rig.get('/simple/cffi/')).status).toBe(200)
})
