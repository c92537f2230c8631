import { Readable } from 'node:stream'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makePage } from '../../src/services/make-page.ts'
import { createProjectPages } from '../../src/services/pages.ts'
import type { Store, Upstream } from '../../src/services/ports.ts'
import { NO_POLICY } from '../../src/services/policy.ts'
import { createPromises } from '../../src/services/promises.ts'
import { PRIORITY } from '../../src/domain/job.ts'
import { listedFiles } from '../../src/domain/listed-file.ts'
import type { ProjectPage } from '../../src/domain/page.ts'
import { createTargetsNow } from '../../src/services/ready-targets.ts'
import { createUpstreamPages } from '../../src/services/upstream-pages.ts'
import { openSqlite } from '../../src/storage/sqlite/open.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'
import { temporaryFolder } from '../storage/folder.ts'

let store: Store
let remove: () => Promise<void>
beforeEach(async () => {
  const temporary = await temporaryFolder()
  store = openSqlite({ file: `${temporary.folder}/muslin.sqlite` })
  remove = async () => {
    store.close()
    await temporary.remove()
  }
})
afterEach(() => remove())

const URL_OF_PAGES = 'https://upstream.example/simple/'

/** An upstream that answers with what `pages` holds. */
function upstreamOf(pages: Map<string, unknown>): Upstream {
  return {
    label: 'upstream.example',
    async page(project) {
      const page = pages.get(project)
      return page === undefined ? { kind: 'absent' } : { kind: 'page', json: Buffer.from(JSON.stringify(page)), files: listedFiles(page as ProjectPage, `${URL_OF_PAGES}${project}/`), validator: undefined, url: `${URL_OF_PAGES}${project}/` }
    },
    async list() { return { kind: 'list', body: Readable.from([]), validator: undefined } },
    async file() { throw new Error('no file is asked for') },
  }
}

function pagesOf(pages: Map<string, unknown>, { clock = manualClock(), upstream = upstreamOf(pages) }: { clock?: ManualClock; upstream?: Upstream } = {}) {
  const targetsNow = createTargetsNow({ glance: store.glance, clock })
  const upstreamPages = createUpstreamPages({ store, upstream, clock, log: pino({ level: 'silent' }), freshness: 0 })
  return createProjectPages({ store, upstreamPages, policy: NO_POLICY, clock, targetsNow, promises: createPromises({ store, recipes: { show: async () => [] } }), maker: { make: async (task) => makePage(task) }, cacheBytes: 1024 * 1024 })
}

const key = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__proto__')
const sha = fc.stringMatching(/^[0-9a-f]{64}$/)
const file = fc.record({
  filename: fc.stringMatching(/^p-[0-9]{1,3}\.tar\.gz$/),
  url: fc.constantFrom('../../files/a.tar.gz', '/files/b%20c.tar.gz?x=1', 'https://files.example/d.tar.gz#frag'),
  hashes: fc.oneof(fc.record({ sha256: sha }), fc.record({ md5: fc.string() }), fc.constant({})),
  extra: fc.dictionary(key, fc.jsonValue()),
}).map(({ extra, ...known }) => ({ ...extra, ...known }))
const page = fc.record({
  files: fc.array(file, { maxLength: 4 }),
  extra: fc.dictionary(key, fc.jsonValue()),
  // A quarantined project is served as it is too, but that is not what this is about.
  meta: fc.dictionary(key, fc.jsonValue()).map((more) => ({ ...more, 'api-version': '1.4' })),
}).map(({ extra, ...known }) => ({ ...extra, ...known, name: 'p' }))

test('JSON out equals JSON in but for the URLs', async () => {
  await fc.assert(fc.asyncProperty(page, async (given) => {
    const served = await pagesOf(new Map([['p', given]])).page('p', { root: '../../', target: undefined, format: 'json', coding: 'identity' })
    // As JSON has it: what -0 and the like become on the wire is not our doing.
    const expected = JSON.parse(JSON.stringify(given))
    for (const entry of expected.files) {
      const digest = entry.hashes.sha256
      entry.url = digest === undefined ? new URL(entry.url, `${URL_OF_PAGES}p/`).href : `../../files/${digest}/${entry.filename}`
    }
    expect(JSON.parse(served.body.toString())).toEqual(expected)
  }), { numRuns: 60 })
})

test('a page is rendered once for all who ask, and anew when it changes', async () => {
  const upstream = new Map<string, unknown>([['p', { meta: { 'api-version': '1.4' }, name: 'p', files: [] }]])
  const pages = pagesOf(upstream)
  const variant = { root: '../../', target: undefined, format: 'json', coding: 'identity' } as const
  const [one, two] = await Promise.all([pages.page('p', variant), pages.page('p', variant)])
  expect(one).toBe(two)
  expect(await pages.page('p', variant)).toBe(one)
  expect(await pages.page('p', { ...variant, format: 'html' })).not.toBe(one)
  upstream.set('p', { meta: { 'api-version': '1.4' }, name: 'p', files: [], more: 1 })
  expect((await pages.page('p', variant)).sha256).not.toBe(one.sha256)
})

test('who sorts yanked files last shares a page with all others, until one of its wheels has a newer build', async () => {
  const pages = pagesOf(new Map([['p', { meta: { 'api-version': '1.4' }, name: 'p', files: [] }]]))
  const variant = { root: '../../', target: undefined, format: 'json', coding: 'identity' } as const
  const each = () => Promise.all([pages.page('p', variant), pages.page('p', { ...variant, olderBuilds: 'yanked' }), pages.page('p', { ...variant, olderBuilds: 'listed' })])
  const publish = async (number: number, target: string) => {
    const sdist = { sha256: 'a'.repeat(64), filename: 'p-1.0.tar.gz' }
    await store.jobs.wish({ kind: 'build', project: 'p', version: '1.0', sdist, target, recipe: String(number), image: 'i', priority: PRIORITY.asked, askedBy: 'x' }, 1)
    const job = await store.jobs.claim('w', { kinds: ['build'], targets: { [target]: 'i' } }, 2, 100)
    const filename = `p-1.0-${number}-${target.replace('-', '-cp313-')}.whl`
    expect(await store.wheels.publish({
      sha256: String(number).repeat(64), filename, size: 1, project: 'p', version: '1.0', target, sdist: sdist.sha256, number,
      metadata: 'b'.repeat(64), requiresPython: undefined, publishedAt: 3, build: job!.build,
    }, { id: job!.id, worker: 'w', metadataChanged: false }, {}, 3)).toBe(true)
  }
  expect(new Set(await each()).size).toBe(1)
  await publish(1, 'cp313-musllinux_1_2_x86_64')
  await publish(1, 'cp313-musllinux_1_2_aarch64')
  expect(new Set(await each()).size).toBe(1)
  await publish(2, 'cp313-musllinux_1_2_x86_64')
  const [one, yanked, listed] = await each()
  expect(one).toBe(yanked)
  const toldOf = ({ body }: typeof one) => (JSON.parse(body.toString()).files as { yanked: unknown }[]).filter(({ yanked: why }) => String(why).startsWith('superseded by build')).length
  expect([toldOf(one), toldOf(listed)]).toEqual([1, 0])
})

test('where a page is kept, an upstream that hangs is waited for five seconds, and what it says in the end is served to the next', async () => {
  const clock = manualClock()
  const page = { meta: { 'api-version': '1.4' }, name: 'p', files: [] }
  const known = new Map<string, unknown>([['p', page]])
  const answering = upstreamOf(known)
  let asked = 0
  let hanging: PromiseWithResolvers<void> | undefined
  const upstream: Upstream = { ...answering, page: async (project) => { asked += 1; await hanging?.promise; return answering.page(project) } }
  const pages = pagesOf(known, { clock, upstream })
  const variant = { root: '../../', target: undefined, format: 'json', coding: 'identity' } as const
  const served = async () => JSON.parse((await pages.page('p', variant)).body.toString())
  expect(await served()).toEqual(page)
  hanging = Promise.withResolvers()
  known.set('p', { ...page, more: 1 })
  const held = served()
  await clock.began(5_000)
  await clock.advance(5_000)
  expect(await held).toEqual(page)
  expect(await served()).toEqual(page)
  // It is not asked a second time while it still owes its first answer, and nobody waits for it any more.
  await clock.advance(5_000)
  expect(await served()).toEqual(page)
  expect([asked, clock.sleeping()]).toEqual([2, 0])
  hanging.resolve()
  await expect.poll(served).toEqual({ ...page, more: 1 })
})
