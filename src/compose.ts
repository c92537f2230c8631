/** With `compose/` the only files that name implementations: which adapter stands behind which port, and in which order things start and stop. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Service } from './cli/context.ts'
import { chooseBuilder, targetsOf, type Chosen } from './compose/builders.ts'
import type { Parts, Ports } from './compose/parts.ts'
import { startWeb } from './compose/web.ts'
import { startWorker } from './compose/worker.ts'
import { findCratesIndex } from './config/crates-index.ts'
import { adminToken, openDataFolder, writeServerFile } from './config/data-folder.ts'
import { askPip } from './config/pip.ts'
import { serverRules } from './config/policy.ts'
import type { Settings } from './config/settings.ts'
import { findSources } from './config/upstreams.ts'
import { createApkBranches } from './services/apks.ts'
import { createCache } from './services/cache.ts'
import { createCrates } from './services/crates.ts'
import { createFiles } from './services/files.ts'
import type { Clock } from './services/ports.ts'
import { createPolicy, permittedPages } from './services/policy.ts'
import { createRecipes } from './services/recipes.ts'
import { createSideThread } from './services/side-thread.ts'
import { createUpstreamPages } from './services/upstream-pages.ts'
import { createBuildLogs } from './storage/build-logs.ts'
import { createDiskBlobs } from './storage/disk-blobs.ts'
import { claimProcessFolder, sweepProcessFolders } from './storage/process-folder.ts'
import { createRecipeFiles } from './storage/recipe-files.ts'
import { inspectSqlite } from './storage/sqlite/inspect.ts'
import { openSqlite } from './storage/sqlite/open.ts'
import { parseAddress } from './upstream/address.ts'
import { offlineFiles, offlineUpstream } from './upstream/offline.ts'
import { createRemoteFiles } from './upstream/remote-files.ts'
import { createUpstreams, sourceText } from './upstream/upstreams.ts'

export type { Ports } from './compose/parts.ts'
export { createUpkeep } from './compose/upkeep.ts'

export interface ComposeContext {
  log: Logger
  clock: Clock
  /** Lets a test put an instrumented port in the place of a real one. */
  wrap?: ((ports: Ports) => Ports) | undefined
}

/** Puts a server together. Nothing is opened, asked or started before `start`. */
export function compose(settings: Settings, { log, clock, wrap = (ports) => ports }: ComposeContext): Service {
  /** Both end side by side within the grace; what they stand on is closed after them. */
  const drains: (() => Promise<void>)[] = []
  const stops: (() => Promise<void> | void)[] = []
  const folders = { blobs: join(settings.data, 'blobs'), logs: join(settings.data, 'logs'), scratch: join(settings.data, 'scratch') }

  return { start, stop }

  async function start(): Promise<{ url: string | undefined; lines: string[] }> {
    await openDataFolder(settings.data, Object.values(folders))
    // Both wait for other programs, and clients that were held before a restart wait for us.
    const [pip, chosen] = await Promise.all([askPip(process.env), chooseBuilder(settings, process.env)])
    const { sources, ca, proxies } = await findSources({ settings, env: process.env, pip })
    const store = openSqlite({ file: join(settings.data, 'muslin.db') })
    stops.push(() => store.close())
    const blobs = createDiskBlobs({ folder: folders.blobs })
    stops.push(() => blobs.close())
    const instance = await store.secrets.secret('instance', randomSecret)
    const { offline } = settings
    const thread = createSideThread({ clock })
    stops.push(() => thread.close())
    const upstream = offline ? offlineUpstream(sources.map(({ url }) => parseAddress(url).label).join(', ')) : createUpstreams({ sources, allowedFileHosts: settings.allowedFileHosts, instance, log, clock, thread })
    stops.push(() => upstream.close())
    const remote = offline ? offlineFiles() : createRemoteFiles({ address: settings.apkMirror, setting: 'apkMirror', ca, proxies, instance, log, clock })
    stops.push(() => remote.close())
    const registry = await findCratesIndex({ setting: settings.cratesIndex, env: process.env })
    const cratesRemote = offline ? offlineFiles() : createRemoteFiles({ address: registry, setting: 'cratesIndex', ca, proxies, instance, log, clock })
    stops.push(() => cratesRemote.close())
    const stored = wrap({ store, blobs, logs: createBuildLogs({ folder: folders.logs, log }), upstream, clock })
    await stored.blobs.sweep()
    // What a worker fetches counts too, but only those who serve take something away: they know what is being asked for; offline nothing comes back.
    const cache = createCache({ ...stored, limit: settings.role === 'worker' || offline ? undefined : settings.cacheSize, clock, log })
    stops.push(() => cache.close())
    const ports = { ...stored, blobs: cache.blobs }
    const scratch = claimScratch()
    const policy = createPolicy({ rules: serverRules(settings), store: ports.store, clock })
    const files = createFiles({ ...ports, policy, cache, log })
    stops.push(() => files.close())
    const wholePages = createUpstreamPages({ ...ports, log, freshness: settings.pageFreshness, offline })
    const parts: Parts = {
      settings, ports, cache, inspection: inspectSqlite({ file: join(settings.data, 'muslin.db') }), instance, scratch, log, clock, policy, wholePages,
      files, thread,
      apks: createApkBranches({ kept: ports.store.kept, blobs: ports.blobs, remote, clock, log, mirror: settings.apkMirror }),
      crates: createCrates({ kept: ports.store.kept, blobs: ports.blobs, remote: cratesRemote, registry: registry && parseAddress(registry).base.href, clock, log }),
      upstreamPages: permittedPages(wholePages, policy),
      recipes: createRecipes({ builtIn: createRecipeFiles(), recipes: ports.store.recipes, jobs: ports.store.jobs, clock }),
      targets: targetsOf(settings, chosen),
    }
    if (settings.role !== 'worker') await cache.start(upstream.label)
    const token = await adminToken(settings.data, store.secrets)

    const upstreams = sources.map((source) => `upstream  ${sourceText(source)}${offline ? '; offline: it is never asked, and what was seen before is served' : ''}`)
    const lines = [`data      ${settings.data}`, ...upstreams, `builder   ${chosen.why}`, `targets   ${parts.targets.join(', ')}`]
    if (token.made !== undefined) lines.push(`token     ${token.made} (admin; also in ${join(settings.data, 'admin-token')})`)

    const views = Object.keys(settings.views)
    if (views.length > 0) lines.push(`views     ${views.map((name) => `/view/${name}/simple/`).join(', ')}`)

    if (token.taken) lines.push(`token     the new one in ${join(settings.data, 'admin-token')}; whoever logged in with the older one must log in again`)

    const url = settings.role === 'worker' ? undefined : await listen(parts, chosen, token.sha256)
    if (chosen.kind !== 'none') drains.push(await startWorker(parts, chosen))
    if (settings.role === 'worker') lines.push(`working on ${settings.workers} builds at once`)
    return { url, lines }
  }

  /** This process's own part of the scratch folder. What killed processes left in theirs is removed. */
  function claimScratch(): string {
    sweepProcessFolders(folders.scratch)
    const { path, lock } = claimProcessFolder(folders.scratch)
    stops.push(() => {
      lock.close()
      sweepProcessFolders(folders.scratch)
    })
    return path
  }

  async function listen(parts: Parts, chosen: Chosen, adminTokenSha256: string): Promise<string> {
    const hopKey = await parts.ports.store.secrets.secret('hop-key', randomSecret)
    const host = listenHost(settings, chosen)
    const web = await startWeb(parts, { adminTokenSha256, hopKey, host })
    drains.push(web.drain)
    stops.push(web.close)
    const { scheme, port } = web.address
    const url = settings.publicUrl ?? `${scheme}://localhost:${port}`
    await writeServerFile(settings.data, { url, scheme, port, host, pid: process.pid, instance: parts.instance })
    return url
  }

  async function stop(): Promise<void> {
    await Promise.all(drains.splice(0).map(safely))
    for (const end of stops.splice(0).reverse()) await safely(end)
  }

  async function safely(end: () => Promise<void> | void): Promise<void> {
    try {
      await end()
    } catch (error) {
      log.error({ err: error }, 'a part did not stop cleanly')
    }
  }
}

/** With a container engine its containers must reach us; else nobody else needs to. A web process of its own is there to be reached. */
function listenHost(settings: Settings, { kind }: Chosen): string | undefined {
  if (settings.host !== 'auto') return settings.host
  const containers = kind === 'docker' || kind === 'podman' || (kind === 'embedded' && Object.keys(settings.engines).length > 0)
  return containers || settings.role === 'web' ? undefined : 'localhost'
}

function randomSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')
}
