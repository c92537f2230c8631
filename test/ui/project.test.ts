import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeRig, type Rig, TARGET } from '../http/rig.ts'
import type { SyntheticFile } from '../synthetic-upstream.ts'
import { textOf, visitor, type Visitor } from './visitor.ts'

const TARGETS = ['cp311', 'cp312', 'cp313', 'cp314', 'cp315'].map((python) => `${python}-musllinux_1_2_x86_64`)
const file = (filename: string, keys: Record<string, unknown> = {}): SyntheticFile => ({ filename, bytes: Buffer.from(filename), keys })

let rig: Rig
let person: Visitor

beforeEach(async () => {
  rig = await makeRig({ ui: true, targets: TARGETS })
  person = visitor(rig)
  await rig.store.workers.beat('worker', { [TARGET]: 'image-1' }, rig.clock.now())
})
afterEach(() => rig.close())

async function seen(): Promise<void> {
  rig.upstream.project('lz4', [
    file('lz4-4.4.5.tar.gz', { 'upload-time': '2024-05-06T07:08:09Z' }), file('lz4-4.4.4.tar.gz'), file('lz4-4.4.4-cp311-cp311-musllinux_1_2_x86_64.whl'),
    file('lz4-5.0b1.tar.gz'), file('lz4-4.3.0-py3-none-any.whl', { yanked: 'broken' }),
  ])
  await rig.get('/simple/lz4/')
}

/** Version → what stands in its cells. */
function matrix(page: string): Record<string, string[]> {
  return Object.fromEntries([...page.matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/gs)].map(([, head, cells]) =>
    [textOf(head!.replace(/<span class="day">[^<]*<\/span>/, '')), [...cells!.matchAll(/<td>(.*?)<\/td>/gs)].map(([, cell]) => textOf(cell!))]))
}

test('releases by target, newest first, from the page that is kept', async () => {
  await seen()
  const asked = rig.upstream.requests.length
  const { status, text } = await person.get('/ui/projects/lz4')
  expect(status).toBe(200)
  const could = 'could build'
  expect(Object.entries(matrix(text))).toEqual([
    ['5.0b1 pre', [could, could, could, could, could]],
    ['4.4.5', [could, could, could, could, could]],
    ['4.4.4', ['upstream wheel', could, could, could, could]],
    ['4.3.0 yanked', Array(5).fill('pure wheel')],
  ])
  expect(text).toContain('<span class="day">2024-05-06</span>')
  expect(rig.upstream.requests.length).toBe(asked)
  expect(await rig.store.jobs.list()).toEqual([])
})

test('filters by the address alone', async () => {
  await seen()
  expect(Object.keys(matrix((await person.get('/ui/projects/lz4?releases=stable')).text))).toEqual(['4.4.5', '4.4.4', '4.3.0 yanked'])
  expect(Object.keys(matrix((await person.get('/ui/projects/lz4?only=missing')).text))).toEqual(['5.0b1 pre', '4.4.5', '4.4.4'])
  const both = (await person.get('/ui/projects/lz4?only=missing&releases=stable')).text
  expect(Object.keys(matrix(both))).toEqual(['4.4.5', '4.4.4'])
  expect([...both.matchAll(/class="toggle" href="([^"]*)" aria-current="true"/g)].map(([, href]) => href)).toEqual(['lz4?only=missing', 'lz4?releases=stable'])
})

test('what is not known is told, and asked of nobody', async () => {
  rig.upstream.project('never-asked', [file('never_asked-1.0.tar.gz')])
  const { status, text } = await person.get('/ui/projects/never-asked')
  expect(status).toBe(404)
  expect(textOf(text)).toContain('Nothing of this project is known here yet.')
  expect(text).toContain('href="../../simple/never-asked/"')
  expect(rig.upstream.requests).toEqual([])
})

test('names are normalised, and what is no name is refused', async () => {
  const found = await person.get('/ui/projects?name=%20Lz4_.x%20')
  expect([found.status, new URL(found.headers.get('location')!, `${rig.url}/ui/projects`).pathname]).toEqual([302, '/ui/projects/lz4-x'])
  const other = await person.get('/ui/projects/Lz4?only=missing')
  expect(new URL(other.headers.get('location')!, `${rig.url}/ui/projects/`).href).toBe(`${rig.url}/ui/projects/lz4?only=missing`)
  for (const path of ['/ui/projects?name=%3Cscript%3E', '/ui/projects/-x-']) {
    const { status, text } = await person.get(path)
    expect(status, path).toBe(400)
    expect(text).not.toContain('<script>')
  }
})

test('without a name there is where to give one', async () => {
  for (const path of ['/ui/projects', '/ui/projects?name=', '/ui/projects?name=%20']) {
    const { status, text } = await person.get(path)
    expect(status, path).toBe(200)
    expect(text).toMatch(/<form class="stack" id="find" action="\.\.\/ui\/projects">.*<input id="name" type="search" name="name" required/s)
  }
})

test('a cell has its build started by whoever is logged in, and by nobody else', async () => {
  await seen()
  expect((await person.get('/ui/projects/lz4')).text).not.toContain('name="cell"')
  const cell = `4.4.5|${TARGET}`
  expect((await person.post('/ui/projects/lz4/build', { cell })).status).toBe(401)
  const csrf = await person.login()
  expect((await person.get('/ui/projects/lz4')).text).toContain(`name="cell" value="${cell}"`)
  expect((await person.post('/ui/projects/lz4/build', { cell })).status).toBe(403)
  expect((await person.post('/ui/projects/lz4/build', { csrf, cell: 'x' })).status).toBe(400)
  expect(await rig.store.jobs.list()).toEqual([])
  const { status, headers } = await person.post('/ui/projects/lz4/build', { csrf, cell })
  expect([status, new URL(headers.get('location')!, `${rig.url}/ui/projects/lz4/build`).pathname]).toEqual([303, '/ui/jobs/1'])
  expect((await rig.store.jobs.list()).map(({ version, target, state }) => [version, target, state])).toEqual([['4.4.5', TARGET, 'queued']])
  const { text } = await person.get('/ui/projects/lz4')
  expect(matrix(text)['4.4.5']?.[2]).toBe('queued')
  expect(text).toMatch(/href="..\/..\/ui\/jobs\/1" title="Job 1"><span class="badge wait">queued/)
})

test('what failed says why', async () => {
  await seen()
  const csrf = await person.login()
  await person.post('/ui/projects/lz4/build', { csrf, cell: `4.4.5|${TARGET}` })
  await rig.fail(await rig.claim(), { class: 'missing-header', key: 'lz4.h' })
  expect((await person.get('/ui/projects/lz4')).text).toMatch(/title="needs header lz4\.h"><span class="badge bad">failed/)
})

test('300 releases by 5 targets come in under 300 ms', async () => {
  const versions = [...Array(300).keys()].map((index) => `${Math.floor(index / 100)}.${Math.floor(index / 10) % 10}.${index % 10}`)
  rig.upstream.project('large', versions.flatMap((version) => [
    file(`large-${version}.tar.gz`),
    ...['cp311', 'cp312', 'cp313', 'cp314'].flatMap((python) => ['manylinux_2_17_x86_64', 'macosx_11_0_arm64', 'win_amd64'].map((platform) => file(`large-${version}-${python}-${python}-${platform}.whl`))),
    file(`large-${version}-cp311-cp311-musllinux_1_2_x86_64.whl`),
  ]))
  await rig.get('/simple/large/')
  await person.login()
  const took: number[] = []
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now()
    const { text } = await person.get('/ui/projects/large')
    took.push(performance.now() - began)
    expect(Object.keys(matrix(text))).toHaveLength(300)
    expect(text.match(/<td>/g)).toHaveLength(1500)
  }
  // The median: a machine that is shared may stall once.
  expect(took.toSorted((a, b) => a - b)[2]).toBeLessThan(300)
  console.info(`matrix of 300 × 5: ${took.map((ms) => Math.round(ms)).join(', ')} ms`)
})
