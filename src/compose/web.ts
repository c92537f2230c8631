import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import about from '../../package.json' with { type: 'json' }
import { createStaticMetadata } from '../builder/static-metadata.ts'
import { viewRules } from '../config/policy.ts'
import type { Settings } from '../config/settings.ts'
import { isLoopback } from '../domain/local.ts'
import { MuslinError } from '../errors.ts'
import { createApp } from '../http/app.ts'
import { createAddressOf, createAskers } from '../http/asker.ts'
import { createFast } from '../http/fast.ts'
import { createHostCheck } from '../http/host-check.ts'
import { createLinks, withoutCredentials } from '../http/links.ts'
import { createLockFor } from '../http/lock-for.ts'
import { createViews } from '../http/page-ask.ts'
import { createPlanFor } from '../http/plan-for.ts'
import { closeServer, createServer } from '../http/server.ts'
import { createAdmission } from '../services/admission.ts'
import { createDownloads } from '../services/downloads.ts'
import { createGc } from '../services/gc.ts'
import { createHindrance } from '../services/hindrance.ts'
import { createJobEvents } from '../services/job-events.ts'
import { createJobViews } from '../services/job-views.ts'
import { createProjectList } from '../services/list.ts'
import { createLockHasher } from '../services/lock-hashes.ts'
import { createMatrix } from '../services/matrix.ts'
import { createOrders } from '../services/orders.ts'
import { createOutdated } from '../services/outdated.ts'
import { createOverview } from '../services/overview.ts'
import { createPageMaker } from '../services/page-maker.ts'
import { createProjectPages } from '../services/pages.ts'
import { createPausing } from '../services/pausing.ts'
import { createPlanner } from '../services/planner.ts'
import { createPrebuilds } from '../services/prebuilds.ts'
import { createPromiseMetadata } from '../services/promise-metadata.ts'
import { createPromises } from '../services/promises.ts'
import { createPureFallbacks } from '../services/pure-fallbacks.ts'
import { createReadyTargets, createTargetsNow } from '../services/ready-targets.ts'
import { createRecords } from '../services/records.ts'
import { createRefresh } from '../services/refresh.ts'
import { createRebuilds } from '../services/rebuilds.ts'
import { createSessions } from '../services/sessions.ts'
import { createSmallFiles } from '../services/small-files.ts'
import { createWaitingInstalls } from '../services/waiting-installs.ts'
import { createWaitingViews } from '../services/waiting-views.ts'
import { createWishes } from '../services/wishes.ts'
import { createUi } from '../ui/ui.ts'
import { GRACE_MS, type Parts } from './parts.ts'

export interface Web {
  /** Where it listens. */
  address: { scheme: 'http' | 'https'; port: number }
  /** Takes no new requests, and lets those that are held end within the grace. */
  drain(): Promise<void>
  /** Keeps what was counted; before the database closes. */
  close(): Promise<void>
}

/** The web part of a server, listening on `host` (undefined: all interfaces). Throws `port-in-use` or `bad-settings`. */
export async function startWeb(parts: Parts, own: { adminTokenSha256: string; hopKey: string; host: string | undefined }): Promise<Web> {
  const { settings, ports, inspection, files, cache, apks, crates, upstreamPages, wholePages, policy, recipes, targets, instance, scratch, log, clock } = parts
  const { store, blobs, logs, upstream } = ports
  const { workers } = settings
  const closing = new AbortController()
  const readyTargets = createReadyTargets({ workers: store.workers, clock })
  const promises = createPromises({ store, recipes, policy })
  const names = [hostname(), ...settings.allowedHosts, ...(settings.publicUrl === undefined ? [] : [new URL(settings.publicUrl).hostname])]
  const admission = createAdmission({ ...settings, clock, hosts: names })
  const hindrance = createHindrance({ jobs: store.jobs, workers: store.workers, recipes, readyTargets, targets, clock })
  const counted = createDownloads({ downloads: store.downloads, targets, clock, log })
  const downloads = { ...counted, served: (download: Parameters<typeof counted.served>[0]) => { cache.used(download.sha256); counted.served(download) } }
  const fallbacks = createPureFallbacks({ store, upstreamPages, recipes, admission, readyTargets, clock, log })
  const planner = createPlanner({ store, recipes, upstreamPages: wholePages, policy, readyTargets, targets, workers })
  const prebuilds = createPrebuilds({ store, recipes, planner, readyTargets, workers, clock })
  const jobViews = createJobViews({ store, clock, workers })
  const planFor = createPlanFor({ planner, asker: createAskers({ ...settings, adminTokenSha256: own.adminTokenSha256 }) })
  const pausing = createPausing({ jobs: store.jobs, clock })
  const installs = createWaitingInstalls({ clock, log, closing: closing.signal })
  const shown = {
    installs, waitingViews: createWaitingViews({ installs, jobViews, clock }),
    planFor, ...createLockFor({ planFor, lockHasher: createLockHasher({ store }), admission, publicUrl: settings.publicUrl }),
    recipes,
    prebuilds, jobViews,
    outdated: createOutdated({ store, branches: apks, upstreamPages, recipes, readyTargets, jobViews, clock }),
    rebuilds: createRebuilds({ store, planner, prebuilds }),
    refresh: createRefresh({ upstreamPages: wholePages }),
    orders: createOrders({ store, recipes, upstreamPages: wholePages, policy, readyTargets, targets, clock }),
    matrix: createMatrix({ store, recipes, upstreamPages, readyTargets, targets }),
    overview: createOverview({ store, readyTargets, pausing, targets, clock, offline: settings.offline }),
    pausing, gc: createGc({ inspection, blobs, logs, cache, clock }),
    jobs: store.jobs, logs, targets, views: viewRules(settings), clock, offline: settings.offline, closing: closing.signal,
  }
  const links = createLinks({ admission, publicUrl: settings.publicUrl })
  const reachable = settings.publicUrl !== undefined || own.host === undefined || !isLoopback(own.host)
  const targetsNow = createTargetsNow({ glance: store.glance, clock })
  const views = createViews({ targetsNow, targets, hostRefused: createHostCheck({ admission, log }), views: viewRules(settings), clock })
  const maker = createPageMaker(parts.thread)
  const pages = createProjectPages({
    store, upstreamPages: wholePages, policy, promises, targetsNow, maker, clock, cacheBytes: settings.pageCacheSize,
    publicUrl: settings.publicUrl === undefined ? undefined : withoutCredentials(settings.publicUrl),
  })
  const app = createApp({
    ...shown, ...createUi({ ...shown, links, reachable, version: about.version }), version: about.version,
    files, apks, crates, downloads, fallbacks, promises, admission, readyTargets, log, instance,
    sessions: createSessions({ sessions: store.sessions, adminTokenSha256: own.adminTokenSha256, clock }),
    pages, views,
    list: createProjectList({ store, blobs, upstream, clock, log, freshness: settings.pageFreshness, offline: settings.offline }),
    promiseMetadata: createPromiseMetadata({ store, blobs, files, recipes, staticMetadata: createStaticMetadata({ blob: files.blob, scratch }) }),
    records: createRecords({ store, logs, instance }),
    wishes: createWishes({ jobs: store.jobs, recipes, admission, hindrance, readyTargets, clock }),
    hindrance,
    events: createJobEvents({ jobs: store.jobs }),
    hopKey: own.hopKey, adminTokenSha256: own.adminTokenSha256,
    publicUrl: settings.publicUrl, trustedProxies: settings.trustedProxies, behindProxy: settings.behindProxy, holdLimit: settings.holdLimit,
    xAccel: settings.xAccel,
  })
  const fast = createFast({
    pages, views, smallFiles: createSmallFiles({ glance: store.glance, blobs, allowed: () => !policy.guards }), downloads, fallbacks, addressOf: createAddressOf(settings),
    publicUrl: settings.publicUrl, closing: closing.signal, log, clock,
  })
  const server = createServer(app, { fast, ...await tls(settings) })
  await listen(server, settings.port, own.host)
  const address = server.address()
  return {
    address: { scheme: settings.tlsCert === undefined ? 'http' : 'https', port: typeof address === 'object' && address ? address.port : settings.port },
    close: async () => { await Promise.all([downloads.close(), fallbacks.close()]) },
    async drain() {
      const grace = new AbortController()
      const timer = setTimeout(() => grace.abort(), GRACE_MS)
      await closeServer(server, { closing, grace: grace.signal })
      clearTimeout(timer)
    },
  }
}

async function tls(settings: Settings): Promise<{ tls?: { cert: Buffer; key: Buffer } }> {
  if (settings.tlsCert === undefined || settings.tlsKey === undefined) return {}
  return { tls: { cert: await readFile(settings.tlsCert), key: await readFile(settings.tlsKey) } }
}

/** Connections that come at once and wait to be taken. Of those beyond Node's 511 Linux drops the first packets, and they wait a second or two. */
const BACKLOG = 4096

async function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new MuslinError('port-in-use', `something else listens on port ${port}; end it, or choose another by --port`, { cause: error }))
      else if (error.code === 'EACCES') reject(new MuslinError('bad-settings', `port ${port} needs root; choose one above 1023 by --port`, { cause: error }))
      else reject(new MuslinError('bad-settings', `cannot listen on ${host ?? 'all interfaces'}, port ${port}: ${error.code}`, { cause: error }))
    })
    server.listen({ port, backlog: BACKLOG, ...(host === undefined ? {} : { host }) }, resolve)
  })
}
