import type { Logger } from 'pino'
import { targetOf } from '../domain/client.ts'
import { sha256Of } from '../domain/digest.ts'
import { isFallback, isPure } from '../domain/fallback.ts'
import { parseWheelFilename } from '../domain/filename.ts'
import { PRIORITY } from '../domain/job.ts'
import { promisable } from '../domain/promise.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { versionKey } from '../domain/version.ts'
import { isRefusal, type Admission, type Asker } from './admission.ts'
import { lastOf } from './last-of.ts'
import type { Clock, Store } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import type { Recipes } from './recipes.ts'
import type { UpstreamPages } from './upstream-pages.ts'

export interface PureFallbacks {
  /** An installer is sent this file. Returns at once; a native wheel is built in the background where the file is what others have a native one for. */
  served(file: { sha256: string; filename: string }, asker: Asker): void
  /** Resolves once all that was begun has ended. */
  close(): Promise<void>
}

/** A file is looked into once in so long for each target, however often it is sent. */
const ONCE_MS = 60 * 60 * 1000
const REMEMBERED = 10_000

/**
 * Releases with native wheels for others and a pure one for the rest are never promised, since they have a wheel that fits: nobody waits,
 * and the next install is faster.
 */
export function createPureFallbacks({ store, upstreamPages, recipes, admission, readyTargets, clock, log }: {
  store: Store
  upstreamPages: UpstreamPages
  recipes: Pick<Recipes, 'forProject'>
  admission: Admission
  readyTargets: ReadyTargets
  clock: Clock
  log: Logger
}): PureFallbacks {
  const seen = lastOf<number>(REMEMBERED)
  const begun = new Set<Promise<void>>()

  return {
    served(file, asker) {
      if (!asker.client.musl || !asker.client.installs || asker.client.own) return
      const wheel = parseWheelFilename(file.filename)
      if (!wheel || !isPure(wheel)) return
      const looking = look(file, asker).catch((error: unknown) => {
        if (!isRefusal(error)) log.warn({ err: error, filename: file.filename }, 'a native wheel could not be queued')
      })
      begun.add(looking)
      void looking.finally(() => begun.delete(looking))
    },
    async close() { await Promise.all(begun) },
  }

  async function look({ sha256, filename }: { sha256: string; filename: string }, asker: Asker): Promise<void> {
    const ready = await readyTargets()
    const target = targetOf(asker.client, [...ready.keys()].flatMap((name) => parseTarget(name) ?? []))
    const image = target && ready.get(target.name)
    if (!target || image === undefined || !isNews(`${filename} ${target.name}`)) return
    const project = (await store.pages.file(sha256, filename))?.project
    const release = project === undefined ? undefined : await nativeRelease(project, filename, target, image)
    if (project === undefined || !release) return
    const { askedBy, bounds } = admission.admitAhead(asker)
    const { created } = await store.jobs.wish({ kind: 'build', project, ...release, target: target.name, image, priority: PRIORITY.background, askedBy }, clock.now(), bounds)
    if (created) log.info({ project, version: release.version, target: target.name }, 'a native wheel is built in the background: installers get a pure one')
  }

  function isNews(key: string): boolean {
    const now = clock.now()
    if (now < (seen.get(key) ?? 0)) return false
    seen.set(key, now + ONCE_MS)
    return true
  }

  /** The release as it would be built; undefined where nothing native is to be had of it, or it is there, or failed before. */
  async function nativeRelease(project: string, filename: string, target: Target, image: string) {
    const kept = await upstreamPages.read(project)
    const pure = parseWheelFilename(filename)!
    const key = versionKey(pure.version)
    const release = kept?.page.files.flatMap((file) => {
      const wheel = file.yanked ? undefined : parseWheelFilename(file.filename)
      return wheel && versionKey(wheel.version) === key ? [wheel] : []
    }) ?? []
    if (!kept || !isFallback(pure, release)) return undefined
    // As if there were no pure wheel: a native one that fits upstream, or ours, leaves nothing to be done.
    const files = kept.page.files.filter((file) => !isPure(parseWheelFilename(file.filename) ?? { platforms: [] }))
    const applied = await recipes.forProject(project)
    const failed = (await store.jobs.remembered(project)).filter((job) => job.target === target.name && job.image === image)
    const entry = promisable({ page: { ...kept.page, files }, target, wheels: await store.wheels.wheels(project), remembered: new Set() })
      .find(({ version }) => versionKey(version) === key)
    if (!entry) return undefined
    const { recipe, digest } = applied(entry.version, target.name)
    const sdist = { sha256: sha256Of(entry.sdist)!, filename: entry.sdist.filename }
    if (recipe.skip !== undefined || recipe.expected === 'pure' || failed.some((job) => job.recipe === digest && job.sdist.sha256 === sdist.sha256)) return undefined
    return { version: entry.version, sdist, recipe: digest }
  }
}
