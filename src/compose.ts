/** The only file that names implementations: which adapter stands behind which port, and in which order things start and stop. */
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { createBuilder, createImages } from './builder/builder.ts'
import { createStaticMetadata } from './builder/static-metadata.ts'
import type { Service } from './cli/context.ts'
import { upstreamCertificates } from './config/certificates.ts'
import { adminToken, openDataFolder, readServerFile, writeServerFile } from './config/data-folder.ts'
import { findUpstream } from './config/default-upstream.ts'
import { askPip } from './config/pip.ts'
import type { Settings } from './config/settings.ts'
import { parseTarget, type Target } from './domain/target.ts'
import { createDockerEngine, probeDocker } from './engine/docker.ts'
import { MuslinError } from './errors.ts'
import { createApp } from './http/app.ts'
import { closeServer, createServer } from './http/server.ts'
import { createAdmission } from './services/admission.ts'
import { createDownloads } from './services/downloads.ts'
import { createFiles, type Files } from './services/files.ts'
import { createJobEvents } from './services/job-events.ts'
import { createJobRunner } from './services/job-run.ts'
import { createProjectList } from './services/list.ts'
import { createProjectPages } from './services/pages.ts'
import type { BlobStore, BuildLogs, Clock, Store, Upstream } from './services/ports.ts'
import { createPromiseMetadata } from './services/promise-metadata.ts'
import { createPromises } from './services/promises.ts'
import { createReadyTargets } from './services/ready-targets.ts'
import { createUpstreamPages } from './services/upstream-pages.ts'
import { createWishes } from './services/wishes.ts'
import { createWorker, isAlive, workerId, type Worker } from './services/worker.ts'
import { createBuildLogs } from './storage/build-logs.ts'
import { createDiskBlobs } from './storage/disk-blobs.ts'
import { claimProcessFolder, sweepProcessFolders } from './storage/process-folder.ts'
import { openSqlite } from './storage/sqlite/open.ts'
import { createUpstream } from './upstream/upstream.ts'

export interface Ports { store: Store; blobs: BlobStore; logs: BuildLogs; upstream: Upstream; clock: Clock }

export interface ComposeContext {
  log: Logger
  clock: Clock
  /** Lets a test put an instrumented port in the place of a real one. */
  wrap?: ((ports: Ports) => Ports) | undefined
}

/** How long answers, and builds, may go on after SIGTERM: what container engines grant is ten seconds by default. */
const GRACE_MS = 7_000

/** Puts a server together. Nothing is opened, asked or started before `start`. */
export function compose(settings: Settings, { log, clock, wrap = (ports) => ports }: ComposeContext): Service {
  const closing = new AbortController()
  /** Both end side by side within the grace; what they stand on is closed after them. */
  const drains: (() => Promise<void>)[] = []
  const stops: (() => Promise<void> | void)[] = []
  const folders = { blobs: join(settings.data, 'blobs'), logs: join(settings.data, 'logs'), scratch: join(settings.data, 'scratch') }

  return { start, stop }

  async function start(): Promise<{ url: string | undefined; lines: string[] }> {
    await openDataFolder(settings.data, Object.values(folders))
    const pip = await askPip(process.env)
    const found = await findUpstream({ setting: settings.upstream, pip })
    const store = openSqlite({ file: join(settings.data, 'muslin.db') })
    stops.push(() => store.close())
    const blobs = createDiskBlobs({ folder: folders.blobs })
    stops.push(() => blobs.close())
    const instance = await store.secrets.secret('instance', randomSecret)
    const upstream = createUpstream({ url: found.url, ca: await upstreamCertificates({ setting: settings.upstreamCa, pip }), instance, log, clock })
    stops.push(() => upstream.close())
    const ports = wrap({ store, blobs, logs: createBuildLogs({ folder: folders.logs, log }), upstream, clock })
    await ports.blobs.sweep()
    const scratch = claimScratch()
    const files = createFiles({ ...ports, log })
    const engine = await chooseEngine(settings)
    const token = await adminToken(settings.data, store.secrets)

    const lines = [`data      ${settings.data}`, `upstream  ${upstream.label}, from ${found.from}`, `builder   ${engine.why}`, `targets   ${settings.targets.join(', ')}`]
    if (token.made !== undefined) lines.push(`token     ${token.made} (admin; also in ${join(settings.data, 'admin-token')})`)

    let url: string | undefined
    if (settings.role !== 'worker') url = await startWeb(ports, files, { instance, tokenSha256: token.sha256, scratch, host: listenHost(settings, engine.ok) })
    if (settings.role !== 'web' && engine.ok) await startWorker(ports, files, { instance, scratch })
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

  async function startWeb(ports: Ports, files: Files, own: { instance: string; tokenSha256: string; scratch: string; host: string | undefined }): Promise<string> {
    const { instance, tokenSha256, scratch, host } = own
    const { store, blobs, logs, upstream } = ports
    const freshness = settings.pageFreshness
    const readyTargets = createReadyTargets({ workers: store.workers, clock })
    const promises = createPromises({ store })
    const names = [hostname(), ...settings.allowedHosts, ...(settings.publicUrl === undefined ? [] : [new URL(settings.publicUrl).hostname])]
    const admission = createAdmission({ clock, hosts: names, buildsPerClient: settings.buildsPerClient, queueLimit: settings.queueLimit })
    const downloads = createDownloads({ downloads: store.downloads, clock, log })
    stops.push(() => downloads.close())
    const app = createApp({
      jobs: store.jobs, logs, files, downloads, promises, admission, readyTargets, clock, log, instance,
      pages: createProjectPages({ store, upstreamPages: createUpstreamPages({ store, upstream, clock, log, freshness }), promises, readyTargets }),
      list: createProjectList({ store, blobs, upstream, clock, log, freshness }),
      promiseMetadata: createPromiseMetadata({ store, blobs, files, staticMetadata: createStaticMetadata({ blob: files.blob, scratch }) }),
      wishes: createWishes({ jobs: store.jobs, admission, readyTargets, clock }),
      events: createJobEvents({ jobs: store.jobs }),
      targets: settings.targets,
      hopKey: await store.secrets.secret('hop-key', randomSecret),
      adminTokenSha256: tokenSha256,
      publicUrl: settings.publicUrl, trustedProxies: settings.trustedProxies, behindProxy: settings.behindProxy,
      closing: closing.signal,
    })
    const server = createServer(app, await tls(settings))
    await listen(server, settings.port, host)
    drains.push(async () => {
      const timer = setTimeout(() => grace.abort(), GRACE_MS)
      const grace = new AbortController()
      await closeServer(server, { closing, grace: grace.signal })
      clearTimeout(timer)
    })
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : settings.port
    const scheme = settings.tlsCert === undefined ? 'http' : 'https'
    const url = settings.publicUrl ?? `${scheme}://localhost:${port}`
    await writeServerFile(settings.data, { url, scheme, port, pid: process.pid, instance })
    return url
  }

  async function startWorker(ports: Ports, files: Files, { instance, scratch }: { instance: string; scratch: string }): Promise<void> {
    const { store, blobs, logs } = ports
    const id = workerId()
    const engine = createDockerEngine({
      instance, log, process: id,
      // Who runs a job counts too: a worker whose engine does not answer is not heard of, and its runs must not be swept by others.
      live: async () => {
        const running = (await store.jobs.list({ state: 'running' })).flatMap((job) => job.worker ?? [])
        return [id, ...[...await store.workers.live(clock.now() - 60_000), ...running].filter((other) => isAlive(other, id))]
      },
      ...(settings.fetchNetwork === undefined ? {} : { fetchNetwork: settings.fetchNetwork }),
      ...(settings.fetchUrl === undefined ? {} : { fetchHost: new URL(settings.fetchUrl).hostname }),
    })
    const builder = createBuilder({
      engine, clock, log,
      images: createImages({
        engine, clock, log,
        targets: settings.targets.map((name) => parseTarget(name)).filter((target): target is Target => target !== undefined),
        images: { builder: settings.builderImages, clean: settings.cleanImages },
      }),
      limits: settings.limits,
      indexUrl: async () => {
        if (settings.fetchUrl !== undefined) return settings.fetchUrl
        const { scheme, port } = await readServerFile(settings.data)
        return `${scheme}://${(await engine.network()).host}:${port}`
      },
    })
    const run = createJobRunner({ store, blobs, logs, builder, sdist: files.blob, scratch, clock, log })
    const worker: Worker = createWorker({ id, slots: settings.workers, jobs: store.jobs, workers: store.workers, builder, run, clock, log })
    await worker.start()
    drains.push(() => worker.stop(GRACE_MS))
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

async function chooseEngine(settings: Settings): Promise<{ ok: boolean; why: string }> {
  if (settings.role === 'web') return { ok: false, why: 'none in this process: a worker builds (--role web)' }
  if (settings.role === 'worker' && settings.builder === 'none') throw new MuslinError('bad-settings', 'builder is none, but a worker does nothing but build; set builder to docker, or role to web')
  if (settings.builder === 'none') return { ok: false, why: 'none, as the settings say: the upstream is proxied and nothing is promised' }
  const probe = await probeDocker({ command: 'docker' })
  if (probe.ok) return { ok: true, why: `docker ${probe.version}${settings.builder === 'auto' ? ', found by itself' : ''}` }
  if (settings.builder === 'docker' || settings.role === 'worker') throw new MuslinError('engine-unavailable', probe.why)
  return { ok: false, why: `none: ${probe.why}. The upstream is proxied and nothing is promised` }
}

/** With an engine, its containers must reach us; without one nobody else needs to. A web process of its own is there to be reached. */
function listenHost(settings: Settings, engine: boolean): string | undefined {
  if (settings.host !== 'auto') return settings.host
  return engine || settings.role === 'web' ? undefined : 'localhost'
}

async function tls(settings: Settings): Promise<{ tls?: { cert: Buffer; key: Buffer } }> {
  if (settings.tlsCert === undefined || settings.tlsKey === undefined) return {}
  return { tls: { cert: await readFile(settings.tlsCert), key: await readFile(settings.tlsKey) } }
}

async function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new MuslinError('port-in-use', `something else listens on port ${port}; end it, or choose another by --port`, { cause: error }))
      else if (error.code === 'EACCES') reject(new MuslinError('bad-settings', `port ${port} needs root; choose one above 1023 by --port`, { cause: error }))
      else reject(new MuslinError('bad-settings', `cannot listen on ${host ?? 'all interfaces'}, port ${port}: ${error.code}`, { cause: error }))
    })
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve)
  })
}

function randomSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')
}
