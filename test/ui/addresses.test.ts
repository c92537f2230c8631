import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeRig, type Rig } from '../http/rig.ts'
import { visitor } from './visitor.ts'

let rig: Rig

beforeEach(async () => { rig = await makeRig({ ui: true }) })
afterEach(() => rig.close())

test.each([
  ['/ui', '/ui/'], ['/ui/logout', '/ui/'], ['/ui/prebuilds', '/ui/prebuild'], ['/ui/prebuilds/', '/ui/prebuild'], ['/ui/prebuild/', '/ui/prebuild'],
  ['/ui/jobs/', '/ui/jobs'], ['/ui/jobs/?state=failed', '/ui/jobs?state=failed'], ['/ui/login/', '/ui/login'], ['/ui/use/', '/ui/use'], ['/ui/targets/', '/ui/targets'],
  ['/ui/projects/', '/ui/projects'], ['/ui/jobs/7/retry', '/ui/jobs/7'], ['/ui/jobs/7/cancel', '/ui/jobs/7'], ['/ui/projects/lz4/build', '/ui/projects/lz4'],
  ['/ui/rebuild/', '/ui/rebuild'], ['/ui/rebuild/outdated', '/ui/rebuild'], ['/ui/rebuild/like', '/ui/rebuild'], ['/ui/recipes/', '/ui/recipes'], ['/ui/jobs/7/add-apks', '/ui/jobs/7'], ['/ui/recipes/lz4/remove', '/ui/recipes/lz4'],
])('%s leads to %s', async (typed, meant) => {
  const { status, headers } = await visitor(rig).get(typed)
  expect(status).toBe(302)
  const location = headers.get('location') ?? ''
  expect(location, 'relative: a proxy may serve us below a path').not.toMatch(/^\/|:/)
  expect(new URL(location, new URL(typed, rig.url)).href).toBe(`${rig.url}${meant}`)
})

test('no address leads away from here', async () => {
  for (const typed of ['/ui/jobs/%2F%2Fevil.example/retry', '/ui/jobs/..%2F..%2Fx/retry', '/ui/jobs/https:evil.example/cancel']) {
    const { headers } = await visitor(rig).get(typed)
    expect(new URL(headers.get('location') ?? '', new URL(typed, rig.url)).host, typed).toBe(new URL(rig.url).host)
  }
})

test('the path of a public URL leads in without its slash too', async () => {
  await rig.restart({ ui: true, publicUrl: 'http://muslin.example/tools/muslin' })
  const { status, headers } = await visitor(rig).get('/tools/muslin?x=1')
  expect([status, headers.get('location')]).toEqual([302, 'muslin/?x=1'])
  expect((await visitor(rig).get('/tools/muslin/')).status).toBe(303)
  expect((await visitor(rig).get('/tools/muslinx')).status).toBe(404)
})
