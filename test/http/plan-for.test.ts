import { afterEach, beforeEach, expect, test } from 'vitest'
import supertest from 'supertest'
import { ADMIN_TOKEN, makeRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await makeRig({ trustedProxies: ['127.0.0.1'] })
  await rig.ready()
})
afterEach(() => rig.close())

const lockOf = (releases: number, more = '') => ({ files: [{ name: 'requirements.txt', text: `${Array.from({ length: releases }, (_, n) => `p${n}==1.0\n`).join('')}${more}` }] })
const admin = { authorization: `Bearer ${ADMIN_TOKEN}` }
const plan = (body: object, headers: Record<string, string> = {}) => supertest(rig.url).post('/api/v1/plan').set(headers).send(body)

/** Until `release`, the upstream's pages are asked for and not given. */
function hold(): { asked: Promise<void>; names: string[]; release: () => void } {
  const asked = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const names: string[] = []
  const { about } = rig.store.pages
  rig.store.pages.about = async (project) => {
    names.push(project)
    asked.resolve()
    await released.promise
    return about(project)
  }
  return { asked: asked.promise, names, release: released.resolve }
}

test('one plan at a time is made for an address, more for the admin', async () => {
  const { asked, release } = hold()
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const first = plan(lockOf(1), from('10.0.0.1')).then((answer) => answer.status)
  await asked
  expect(await plan(lockOf(1), from('10.0.0.1'))).toMatchObject({ status: 429, body: { code: 'busy', detail: expect.stringMatching(/10\.0\.0\.1.*wait for it, or send the admin's token/) } })
  const others = [plan(lockOf(1), from('10.0.0.2')), plan(lockOf(1), { ...from('10.0.0.1'), ...admin })].map((sent) => sent.then((answer) => answer.status))
  release()
  expect(await Promise.all([first, ...others])).toEqual([200, 200, 200])
  expect((await plan(lockOf(1), from('10.0.0.1'))).status).toBe(200)
})

test('2,000 releases and 2 MB are planned for anybody, more for the admin', async () => {
  const many = await plan(lockOf(2_001))
  expect(many).toMatchObject({ status: 413, body: { code: 'too-large', detail: expect.stringMatching(/2000 releases; the admin's token lifts/) } })
  const long = lockOf(1, `# ${'x'.repeat(2_000_000)}\n`)
  expect((await plan(long)).body).toMatchObject({ code: 'too-large', detail: expect.stringMatching(/2 MB together; the admin's token lifts/) })
  expect((await plan(long, admin)).status).toBe(200)
})

test('whoever leaves ends the plan: nothing more is asked for', async () => {
  const { asked, names, release } = hold()
  const sent = plan(lockOf(200))
  sent.catch(() => {})
  const left = new Promise<void>((resolve) => { rig.server.once('request', (_request, response) => response.once('close', () => resolve())) })
  void sent.end(() => {})
  await asked
  sent.abort()
  await left
  const before = new Set(names).size
  release()
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  expect(new Set(names).size).toBe(before)
  expect(before).toBeLessThan(20)
  expect((await plan(lockOf(1))).status, 'and the address may plan again').toBe(200)
})
