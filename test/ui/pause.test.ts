import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeRig, type Rig } from '../http/rig.ts'
import { textOf, visitor, type Visitor } from './visitor.ts'

let rig: Rig
let person: Visitor
beforeEach(async () => {
  rig = await makeRig({ ui: true })
  await rig.ready()
  // A server that was used already has a queue to show.
  await rig.store.downloads.add([{ sha256: 'a'.repeat(64), filename: 'x.whl', client: '10.0.0.1', at: rig.clock.now() }])
  person = visitor(rig)
})
afterEach(() => rig.close())

test('an admin pauses all builds with a reason, everybody sees it, and the admin ends it', async () => {
  expect((await person.get('/ui/')).text).not.toContain('id="pause-builds"')
  const csrf = await person.login()
  expect((await person.get('/ui/')).text).toContain('id="pause-builds"')
  const { status, headers } = await person.post('/ui/pause', { csrf, reason: 'the machine <b>is moved' })
  expect([status, headers.get('location')]).toEqual([303, '../ui/'])
  expect(await rig.store.jobs.paused()).toEqual({ since: rig.clock.now(), reason: 'the machine <b>is moved' })
  // The form of a page from before the pause gives no reason, and takes none away.
  await person.post('/ui/pause', { csrf, reason: '' })
  const { text } = await person.get('/ui/')
  expect(text).not.toContain('id="pause-builds"')
  expect(text).toContain('id="resume"')
  expect(textOf(text)).toMatch(/Builds are paused since .*: the machine <b>is moved ?\. What runs goes on/)
  const other = (await visitor(rig).get('/ui/')).text
  expect(other).toContain('id="paused"')
  expect(other).not.toContain('id="resume"')
  await person.post('/ui/resume', { csrf })
  expect(await rig.store.jobs.paused()).toBeUndefined()
  expect((await person.get('/ui/')).text).not.toContain('id="paused"')
})

test('nobody else pauses or resumes', async () => {
  expect((await person.post('/ui/pause', { csrf: 'x' })).status).toBe(401)
  await person.login()
  await rig.store.jobs.pause(undefined, rig.clock.now())
  expect((await person.post('/ui/resume', { csrf: 'x' })).status).toBe(403)
  expect(textOf((await person.get('/ui/')).text)).toMatch(/Builds are paused since [^:]*\. What runs/)
})
