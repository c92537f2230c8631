import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeRig, type Rig } from '../http/rig.ts'
import { startOn } from './on-rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig() })
afterEach(() => rig.close())

async function muslin(...words: string[]) {
  const run = startOn(rig, words)
  return { exit: await run.exit, out: run.out, err: run.err }
}

test('builds are paused for a reason, and resumed', async () => {
  const { exit, out } = await muslin('pause', '--reason', 'the machine is moved')
  expect([exit, out]).toEqual([0, [expect.stringMatching(/^builds are paused since 2026-11-21T12:0\d:\d\d\.\d{3}Z: the machine is moved; muslin resume ends it$/)]])
  expect(await rig.store.jobs.paused()).toMatchObject({ reason: 'the machine is moved' })
  expect(JSON.parse((await muslin('pause', '--json')).out.join(''))).toMatchObject({ pause: { reason: 'the machine is moved' } })
  expect((await muslin('pause', '--reason', '')).out).toEqual([expect.stringMatching(/Z; muslin resume ends it$/)])
  expect(await rig.store.jobs.paused()).toMatchObject({ reason: undefined })
  expect(await muslin('resume')).toEqual({ exit: 0, out: ['builds go on'], err: [] })
  expect(await rig.store.jobs.paused()).toBeUndefined()
  expect(JSON.parse((await muslin('resume', '--json')).out.join(''))).toEqual({ pause: null })
})
