import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY, type Wish } from '../../src/domain/job.ts'
import { makeRig, type Rig, TARGET } from '../http/rig.ts'
import { pageOf, seen } from './pages.ts'

let rig: Rig

beforeEach(async () => { rig = await makeRig({ ui: true }) })
afterEach(() => rig.close())

async function wish(project: string, version = '1.0', priority: Wish['priority'] = PRIORITY.asked): Promise<void> {
  await rig.store.jobs.wish({
    kind: 'build', project, version, sdist: { sha256: 'a'.repeat(64), filename: `${project}-${version}.tar.gz` }, target: TARGET,
    recipe: `${project} ${version}`, image: 'image-1', priority, askedBy: '10.0.0.1',
  }, rig.clock.now())
}

describe('the overview', () => {
  test('of a server that nobody used yet says what to do', async () => {
    const page = await pageOf(rig, '/ui/')
    expect(page).toContain('id="first-steps"')
    expect(seen(page)).toMatch(/pip install -i http:\/\/[^ ]+\/simple\/ --trusted-host 127\.0\.0\.1 PyYAML/)
    expect(page).toContain('id="no-builder"')
    expect(page).not.toContain('http-equiv="refresh"')
  })

  test('tells what was served, built and saved, what is under way, and what failed', async () => {
    await rig.ready()
    await wish('saved')
    const built = await rig.claim()
    await rig.clock.advance(90_000)
    await rig.publish(built, Buffer.from('wheel'), 'Name: saved')
    const [wheel] = await rig.store.wheels.wheels('saved')
    for (const client of ['10.0.0.1', '10.0.0.2']) await rig.store.downloads.add([{ sha256: wheel?.sha256 ?? '', filename: wheel?.filename ?? '', client, at: rig.clock.now() }])
    await wish('failing')
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'ffi.h' })
    await wish('waiting')
    await wish('wanted', '1.0', PRIORITY.waiting)
    await wish('running', '1.0', PRIORITY.waiting)
    await rig.ready()
    const page = await pageOf(rig, '/ui/')
    const text = seen(page)
    expect(text).toMatch(/Time saved 3 min .*Files served 2 .*Wheels built 1 /)
    expect(text).toContain('times the downloads by installers')
    expect(text).toMatch(/Queue .*wanted 1\.0 .*running 1\.0 .*waiting 1\.0 .*2 jobs before it/)
    expect(text).toMatch(/Recent failures .*failing 1\.0 .*needs header ffi\.h/)
    expect(text).toMatch(/Targets .*cp313-musllinux_1_2_x86_64 ready/)
    expect(page).not.toContain('id="first-steps"')
    expect(page).not.toContain('id="no-builder"')
    expect(page).toContain('http-equiv="refresh"')
  })

  test('shows the jobs that are next, not those that came last, and what failed last', async () => {
    await rig.ready()
    for (const project of ['old', 'new']) await wish(project)
    const [old, young] = [await rig.claim(), await rig.claim()]
    await rig.fail(young, { class: 'out-of-disk', key: '' })
    await rig.clock.advance(1000)
    await rig.fail(old, { class: 'out-of-disk', key: '' })
    await wish('first', '1.0', PRIORITY.waiting)
    for (let version = 1; version <= 12; version += 1) await wish('crowd', `${version}.0`, PRIORITY.rebuild)
    await wish('second')
    const page = await pageOf(rig, '/ui/')
    const jobs = (id: string) => [...page.matchAll(new RegExp(`id="${id}-\\d+".*?<strong>(.*?)</strong> (.*?)</a>`, 'gs'))].map(([, project, version]) => `${project} ${version}`)
    expect(jobs('queue')).toEqual(['first 1.0', 'second 1.0', ...Array.from({ length: 8 }, (_, index) => `crowd ${index + 1}.0`)])
    expect(jobs('failures')).toEqual(['old 1.0', 'new 1.0'])
  })
})

describe('the jobs', () => {
  test('are filtered by state and project, whatever the spelling', async () => {
    await rig.ready()
    await wish('one-project')
    await rig.fail(await rig.claim(), { class: 'out-of-disk', key: '' })
    await wish('other')
    const projects = async (query: string) => [...(await pageOf(rig, `/ui/jobs${query}`)).matchAll(/<strong>([a-z-]+)<\/strong>/g)].map(([, name]) => name)
    expect(await projects('')).toEqual(['other', 'one-project'])
    expect(await projects('?state=failed')).toEqual(['one-project'])
    expect(await projects('?project=One_Project')).toEqual(['one-project'])
    expect(await projects('?state=queued&project=one-project')).toEqual([])
    expect(await projects('?state=nonsense')).toEqual(['other', 'one-project'])
    expect(await pageOf(rig, '/ui/jobs?project=%3Cscript%3Ealert(1)')).toContain('value="&#60;script&#62;alert(1)"')
  })

  test('are shown a page at a time, and the filter stays', async () => {
    for (let version = 1; version <= 120; version += 1) await wish('many', `${version}.0`)
    const ids = (page: string) => [...page.matchAll(/id="jobs-(\d+)"/g)].map(([, id]) => Number(id))
    const older = (page: string) => /href="([^"]+)" id="older"|id="older" href="([^"]+)"/.exec(page)?.slice(1).find((url) => url)?.replaceAll('&#38;', '&')
    const seenIds: number[] = []
    for (let path: string | undefined = 'jobs?project=many'; path !== undefined;) {
      const page: string = await pageOf(rig, `/ui/${path}`)
      seenIds.push(...ids(page))
      path = older(page)
    }
    expect(seenIds).toEqual(Array.from({ length: 120 }, (_, index) => 120 - index))
  })
})
