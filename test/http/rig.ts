/** A whole web server over real storage and a synthetic upstream; the worker is the test itself. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingHttpHeaders, type IncomingMessage, type Server, request as sendRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type Router from '@koa/router'
import { type Logger, pino } from 'pino'
import type { Failure } from '../../src/domain/failure.ts'
import type { ClaimedJob, JobKind } from '../../src/domain/job.ts'
import { serverRules, viewRules } from '../../src/config/policy.ts'
import { createApp } from '../../src/http/app.ts'
import { createAddressOf, createAskers } from '../../src/http/asker.ts'
import { createFast } from '../../src/http/fast.ts'
import { createHostCheck } from '../../src/http/host-check.ts'
import { createLinks } from '../../src/http/links.ts'
import { createLockFor } from '../../src/http/lock-for.ts'
import { createViews } from '../../src/http/page-ask.ts'
import { createPlanFor } from '../../src/http/plan-for.ts'
import { closeServer, createServer } from '../../src/http/server.ts'
import { createAdmission } from '../../src/services/admission.ts'
import { createApkBranches } from '../../src/services/apks.ts'
import { type Cache, createCache } from '../../src/services/cache.ts'
import { createCrates } from '../../src/services/crates.ts'
import { createDownloads, type Downloads } from '../../src/services/downloads.ts'
import { createFiles } from '../../src/services/files.ts'
import { createGc } from '../../src/services/gc.ts'
import { createHindrance } from '../../src/services/hindrance.ts'
import { createJobEvents } from '../../src/services/job-events.ts'
import { createJobViews } from '../../src/services/job-views.ts'
import { createProjectList } from '../../src/services/list.ts'
import { createLockHasher } from '../../src/services/lock-hashes.ts'
import { createMatrix } from '../../src/services/matrix.ts'
import { createOrders } from '../../src/services/orders.ts'
import { createOutdated } from '../../src/services/outdated.ts'
import { createOverview } from '../../src/services/overview.ts'
import { createPageMaker } from '../../src/services/page-maker.ts'
import { createProjectPages } from '../../src/services/pages.ts'
import { createPausing } from '../../src/services/pausing.ts'
import { createPlanner } from '../../src/services/planner.ts'
import { createPolicy, permittedPages } from '../../src/services/policy.ts'
import type { ApkBranches, BlobStore, BuildLogs, Store } from '../../src/services/ports.ts'
import { createPrebuilds } from '../../src/services/prebuilds.ts'
import { createPromiseMetadata } from '../../src/services/promise-metadata.ts'
import { createPromises } from '../../src/services/promises.ts'
import { createRefresh } from '../../src/services/refresh.ts'
import { createRebuilds } from '../../src/services/rebuilds.ts'
import { createRecipes } from '../../src/services/recipes.ts'
import { createPureFallbacks, type PureFallbacks } from '../../src/services/pure-fallbacks.ts'
import { createReadyTargets, createTargetsNow } from '../../src/services/ready-targets.ts'
import { createRecords } from '../../src/services/records.ts'
import { createSessions } from '../../src/services/sessions.ts'
import { createSideThread } from '../../src/services/side-thread.ts'
import { createSmallFiles } from '../../src/services/small-files.ts'
import { createUpstreamPages } from '../../src/services/upstream-pages.ts'
import { createWaitingInstalls } from '../../src/services/waiting-installs.ts'
import { createWaitingViews } from '../../src/services/waiting-views.ts'
import { createWishes } from '../../src/services/wishes.ts'
import { createBuildLogs } from '../../src/storage/build-logs.ts'
import { createRecipeFiles } from '../../src/storage/recipe-files.ts'
import { createDiskBlobs } from '../../src/storage/disk-blobs.ts'
import { inspectSqlite } from '../../src/storage/sqlite/inspect.ts'
import { openSqlite } from '../../src/storage/sqlite/open.ts'
import { createUi } from '../../src/ui/ui.ts'
import { createRemoteFiles } from '../../src/upstream/remote-files.ts'
import { offlineUpstream } from '../../src/upstream/offline.ts'
import type { Timeouts } from '../../src/upstream/connections.ts'
import { createUpstream, type UpstreamInput } from '../../src/upstream/upstream.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'
import { type SyntheticUpstream, syntheticUpstream } from '../synthetic-upstream.ts'

export const TARGET = 'cp313-musllinux_1_2_x86_64'
export const ADMIN_TOKEN = 'a-token-of-the-admin'

const PIP = { installer: { name: 'pip', version: '25.1.1' }, python: '3.13.5', implementation: { name: 'CPython', version: '3.13.5' }, distro: { name: 'Alpine Linux', version: '3.22.1' }, system: { name: 'Linux', release: '6.1' }, cpu: 'x86_64' }
const UV = { ...PIP, installer: { name: 'uv', version: '0.13.9', subcommand: ['pip', 'install'] }, distro: { libc: { lib: 'musl', version: '1.2' } } }
/** User-Agents as the clients send them. */
export const AGENTS = {
  pip: `pip/25.1.1 ${JSON.stringify(PIP)}`,
  pipOnGlibc: `pip/25.1.1 ${JSON.stringify({ ...PIP, distro: { name: 'Debian', libc: { lib: 'glibc', version: '2.36' } } })}`,
  uv: `uv/0.13.9 ${JSON.stringify(UV)}`,
  uvLock: `uv/0.13.9 ${JSON.stringify({ ...UV, installer: { ...UV.installer, subcommand: ['lock'] } })}`,
  poetry: 'poetry/2.5.1 CPython/3.13.5 Linux/6.1',
  browser: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
}

export interface Options {
  publicUrl?: string
  behindProxy?: boolean
  holdLimit?: number
  trustedProxies?: string[]
  buildsPerClient?: number
  metadataPerClient?: number
  aheadPerClient?: number
  queueLimit?: number
  freshness?: number
  cacheSize?: number
  offline?: boolean
  /** Of the upstream's client. */
  timeouts?: Timeouts
  /** How much of a log is kept; all that a test writes, where absent. */
  logBytes?: number
  staticMetadata?: () => Promise<Buffer | undefined>
  /** Routes of the test's own. */
  mount?: (router: Router) => void
  /** With the pages for people. */
  ui?: boolean
  targets?: string[]
  /** In the place of those that the kept files tell. */
  branches?: Pick<ApkBranches, 'indexes'>
  /** URL of a sparse index of crates. */
  registry?: string
  /** What the server says; nobody hears it where absent. */
  log?: Logger
  /** In the place of ADMIN_TOKEN. */
  adminToken?: string
  /** Another upstream than the synthetic one, or another way to ask it. */
  upstream?: Partial<UpstreamInput>
  /** Where nginx finds the blobs. */
  xAccel?: string
  /** Whether the pages are told that others reach this server. */
  reachable?: boolean
  /** Of the server, and the views by their names. */
  policy?: Partial<Parameters<typeof serverRules>[0] & Parameters<typeof viewRules>[0]>
}

export interface Answer { status: number; reason: string; headers: IncomingHttpHeaders; rawHeaders: string[]; body: Buffer; continues: number }

export interface Rig {
  url: string
  server: Server
  upstream: SyntheticUpstream
  store: Store
  blobs: BlobStore
  cache: Cache
  /** The data folder. */
  folder: string
  logs: BuildLogs
  downloads: Downloads
  fallbacks: PureFallbacks
  clock: ManualClock
  closing: AbortController
  /** How many requests came to the router. */
  passed: () => number
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>
  /** A request as it goes, for those who watch it or break it off. */
  open(path: string, headers?: Record<string, string>): { request: ReturnType<typeof sendRequest>; response: Promise<IncomingMessage>; continues: () => number }
  /** A worker says that it builds TARGET with this image. */
  ready(image?: string): Promise<void>
  claim(kind?: JobKind): Promise<ClaimedJob>
  publish(job: ClaimedJob, bytes: Buffer, metadata: string, options?: { metadataChanged?: boolean; filename?: string }): Promise<void>
  fail(job: ClaimedJob, failure: Failure): Promise<void>
  /** A new process over the same data. */
  restart(options?: Options): Promise<void>
  close(): Promise<void>
}

export async function makeRig(options: Options = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'muslin-http-'))
  const upstream = await syntheticUpstream()
  const clock = manualClock()
  let process = await start(folder, upstream.url, clock, options)

  const rig: Rig = {
    ...process,
    upstream,
    clock,
    async get(path, headers = {}, method = 'GET') {
      const { response, continues } = open(path, headers, method)
      const answer = await response
      const body = await buffer(answer)
      return { status: answer.statusCode ?? 0, reason: answer.statusMessage ?? '', headers: answer.headers, rawHeaders: answer.rawHeaders, body, continues: continues() }
    },
    open,
    ready: (image = 'image-1') => rig.store.workers.beat('worker', { [TARGET]: image }, clock.now()),
    async claim(kind = 'build') {
      const job = await rig.store.jobs.claim('worker', { kinds: [kind], targets: Object.fromEntries(await rig.store.workers.targets(0)) }, clock.now(), clock.now() + 60_000)
      if (!job) throw new Error('there is nothing to claim')
      return job
    },
    async publish(job, bytes, metadata, { metadataChanged = false, filename } = {}) {
      const keep = async (content: Buffer) => {
        const draft = await rig.blobs.draft()
        await draft.write(content)
        return (await draft.keep()).sha256
      }
      await rig.store.wheels.publish({
        sha256: await keep(bytes), filename: filename ?? `${job.project.replaceAll('-', '_')}-${job.version}-1-${TARGET.replace('-', '-cp313-')}.whl`,
        size: bytes.length, project: job.project, version: job.version, target: job.target, sdist: job.sdist.sha256, number: 1,
        metadata: await keep(Buffer.from(metadata)), requiresPython: undefined, publishedAt: clock.now(), build: job.build ?? 0,
      }, { id: job.id, worker: 'worker', metadataChanged }, {}, clock.now())
    },
    async fail(job, failure) { await rig.store.jobs.fail(job.build, failure, undefined, clock.now()) },
    async restart(anew = options) {
      await process.stop()
      process = await start(folder, upstream.url, clock, anew)
      Object.assign(rig, process)
    },
    async close() {
      await process.stop()
      await upstream.close()
      await rm(folder, { recursive: true })
    },
  }
  return rig

  function open(path: string, headers: Record<string, string> = {}, method = 'GET'): { request: ReturnType<typeof sendRequest>; response: Promise<IncomingMessage>; continues: () => number } {
    // An agent of its own: pip's `Connection: keep-alive` comes from the test's headers, if at all.
    const request = sendRequest(new URL(path, rig.url), { method, headers: { 'connection': 'keep-alive', ...headers }, agent: false })
    let continues = 0
    request.on('continue', () => { continues += 1 })
    const response = once(request, 'response').then(([answer]) => answer as IncomingMessage)
    response.catch(() => {})
    request.end()
    return { request, response, continues: () => continues }
  }
}

async function start(folder: string, upstreamUrl: string, clock: ManualClock, options: Options) {
  const { log = pino({ level: 'silent' }) } = options
  const store = openSqlite({ file: join(folder, 'muslin.db') })
  const disk = createDiskBlobs({ folder: join(folder, 'blobs') })
  const cache = createCache({ store, blobs: disk, limit: options.cacheSize, clock, log })
  const { blobs } = cache
  const logs = createBuildLogs({ folder: join(folder, 'logs'), ...options.logBytes === undefined ? {} : { capBytes: options.logBytes } })
  const { offline = false, timeouts } = options
  const thread = createSideThread({ clock })
  const upstream = offline ? offlineUpstream(upstreamUrl) : createUpstream({ url: upstreamUrl, instance: 'this-one', log, clock, thread, ...timeouts && { timeouts }, ...options.upstream })
  const { publicUrl, behindProxy = false, holdLimit, trustedProxies = [], buildsPerClient = 100, metadataPerClient = 1000, aheadPerClient = 20, queueLimit = 500, freshness = 60, staticMetadata = async () => undefined, adminToken = ADMIN_TOKEN } = options
  const readyTargets = createReadyTargets({ workers: store.workers, clock })
  const given = { deny: [], cooldown: 0, cooldownExempt: [], views: {}, ...options.policy }
  const policy = createPolicy({ rules: serverRules(given), store, clock })
  const wholePages = createUpstreamPages({ store, upstream, clock, log, freshness, offline })
  const upstreamPages = permittedPages(wholePages, policy)
  const recipes = createRecipes({ builtIn: createRecipeFiles(), recipes: store.recipes, jobs: store.jobs, clock })
  const promises = createPromises({ store, recipes, policy })
  const files = createFiles({ store, blobs, upstream, policy, cache, clock, log })
  const remote = createRemoteFiles({ address: undefined, setting: 'apkMirror', ca: undefined, instance: 'this-one', log, clock })
  const apks = createApkBranches({ kept: store.kept, blobs, remote, clock, log, mirror: undefined })
  const crates = createCrates({ kept: store.kept, blobs, remote, registry: options.registry, clock, log })
  const downloads = createDownloads({ downloads: store.downloads, targets: options.targets ?? [TARGET], clock, log })
  const admission = createAdmission({ clock, hosts: [...publicUrl ? [new URL(publicUrl).host] : [], 'muslin.internal'], buildsPerClient, metadataPerClient, aheadPerClient, queueLimit })
  const fallbacks = createPureFallbacks({ store, upstreamPages, recipes, admission, readyTargets, clock, log })
  const closing = new AbortController()
  const targets = options.targets ?? [TARGET]
  const hindrance = createHindrance({ jobs: store.jobs, workers: store.workers, recipes, readyTargets, targets, clock })
  const planner = createPlanner({ store, recipes, upstreamPages: wholePages, policy, readyTargets, targets, workers: 2 })
  const adminTokenSha256 = createHash('sha256').update(adminToken).digest('hex')
  const prebuilds = createPrebuilds({ store, recipes, planner, readyTargets, workers: 2, clock })
  const jobViews = createJobViews({ store, clock, workers: 2 })
  const planFor = createPlanFor({ planner, asker: createAskers({ trustedProxies, adminTokenSha256, publicUrl }) })
  const pausing = createPausing({ jobs: store.jobs, clock })
  const installs = createWaitingInstalls({ clock, log, closing: closing.signal })
  const shown = {
    installs, waitingViews: createWaitingViews({ installs, jobViews, clock }),
    planFor, ...createLockFor({ planFor, lockHasher: createLockHasher({ store }), admission, publicUrl }),
    orders: createOrders({ store, recipes, upstreamPages: wholePages, policy, readyTargets, targets, clock }),
    recipes,
    prebuilds, jobViews,
    outdated: createOutdated({ store, branches: options.branches ?? apks, upstreamPages, recipes, readyTargets, jobViews, clock }),
    rebuilds: createRebuilds({ store, planner, prebuilds }),
    refresh: createRefresh({ upstreamPages: wholePages }),
    overview: createOverview({ store, readyTargets, pausing, targets, clock, offline }),
    pausing, gc: createGc({ inspection: inspectSqlite({ file: join(folder, 'muslin.db') }), blobs, logs, cache, clock }),
    matrix: createMatrix({ store, recipes, upstreamPages, readyTargets, targets }),
    jobs: store.jobs, logs, clock, targets, views: viewRules(given), offline, version: '0.0.0', closing: closing.signal,
  }
  const ui = createUi({ ...shown, links: createLinks({ admission, publicUrl }), reachable: options.reachable ?? true })
  const targetsNow = createTargetsNow({ glance: store.glance, clock })
  const views = createViews({ targetsNow, targets, hostRefused: createHostCheck({ admission, log }), views: viewRules(given), clock })
  const maker = createPageMaker(thread)
  const pages = createProjectPages({ store, upstreamPages: wholePages, policy, promises, targetsNow, maker, clock, cacheBytes: 1024 * 1024 })
  const app = createApp({
    ...shown, ...options.ui && ui, ...options.mount && { mount: options.mount },
    files, apks, crates, downloads, fallbacks, promises, admission, readyTargets, log,
    pages, views,
    list: createProjectList({ store, blobs, upstream, clock, log, freshness, offline }),
    promiseMetadata: createPromiseMetadata({ store, blobs, files, recipes, staticMetadata }),
    records: createRecords({ store, logs, instance: 'this-one' }),
    wishes: createWishes({ jobs: store.jobs, recipes, admission, hindrance, readyTargets, clock }),
    hindrance,
    events: createJobEvents({ jobs: store.jobs }),
    sessions: createSessions({ sessions: store.sessions, adminTokenSha256, clock }),
    instance: 'this-one', hopKey: 'a key for tests',
    adminTokenSha256,
    publicUrl, trustedProxies, behindProxy, holdLimit, xAccel: options.xAccel,
  })
  const fast = createFast({
    pages, views, smallFiles: createSmallFiles({ glance: store.glance, blobs, allowed: () => !policy.guards }), downloads, fallbacks, addressOf: createAddressOf({ trustedProxies }),
    publicUrl, closing: closing.signal, log, clock,
  })
  let passed = 0
  const server = createServer(app, { fast: (req, res, next) => fast(req, res, () => { passed += 1; next() }) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server, store, blobs, cache, folder, logs, downloads, fallbacks, closing, passed: () => passed,
    async stop() {
      await closeServer(server, { closing, grace: AbortSignal.abort() })
      await downloads.close()
      await cache.close()
      await fallbacks.close()
      await files.close()
      await thread.close()
      await upstream.close()
      await remote.close()
      store.close()
    },
  }
}
