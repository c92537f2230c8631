import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeRig, type Rig } from '../http/rig.ts'
import { textOf, visitor, type Visitor } from './visitor.ts'

let rig: Rig
let person: Visitor
beforeEach(async () => {
  rig = await makeRig({ ui: true })
  rig.upstream.project('cffi', [{ filename: 'cffi-1.0.tar.gz', bytes: Buffer.from('1') }])
  await rig.get('/simple/cffi/')
  person = visitor(rig)
})
afterEach(() => rig.close())

test('who is logged in asks the upstream anew on a project\'s page, and sees what it has', async () => {
  expect((await person.get('/ui/projects/cffi')).text).not.toContain('id="refresh"')
  const csrf = await person.login()
  rig.upstream.project('cffi', [{ filename: 'cffi-1.0.tar.gz', bytes: Buffer.from('1') }, { filename: 'cffi-1.1.tar.gz', bytes: Buffer.from('2') }])
  await rig.clock.advance(7_000)
  const before = (await person.get('/ui/projects/cffi')).text
  expect(before).toContain('id="refresh"')
  expect(textOf(before)).toContain('1 release ·')
  const { status, headers } = await person.post('/ui/projects/cffi/refresh', { csrf })
  expect([status, headers.get('location')]).toEqual([303, '../../../ui/projects/cffi'])
  expect(textOf((await person.get('/ui/projects/cffi')).text)).toContain('2 releases ·')
})

test('nobody else does, and where the upstream fails its error is shown', async () => {
  expect((await person.post('/ui/projects/cffi/refresh', { csrf: 'x' })).status).toBe(401)
  const csrf = await person.login()
  expect((await person.post('/ui/projects/cffi/refresh', { csrf: 'x' })).status).toBe(403)
  await rig.upstream.leave()
  expect((await person.post('/ui/projects/cffi/refresh', { csrf })).status).toBe(502)
  expect((await person.get('/ui/projects/cffi')).status).toBe(200)
})

test('an offline server says so, and has no such button', async () => {
  await rig.restart({ ui: true, offline: true })
  await person.login()
  expect((await person.get('/ui/')).text).toContain('id="offline"')
  expect((await person.get('/ui/projects/cffi')).text).not.toContain('id="refresh"')
  expect(JSON.parse((await rig.get('/readyz')).body.toString())).toMatchObject({ notes: expect.arrayContaining([expect.stringContaining('offline')]) })
})
