import type { Context } from 'koa'
import { isIP } from 'node:net'
import type { RootOf } from '../domain/lock/entry.ts'
import { rootOfIndex } from '../domain/lock/own-index.ts'
import { isLoopback } from '../domain/local.ts'
import { MuslinError } from '../errors.ts'
import type { Admission } from '../services/admission.ts'
import { requireHashes, type LockHasher } from '../services/lock-hashes.ts'
import type { LockHashes } from '../services/lock-views.ts'
import type { Plan, PlanRequest } from '../services/views.ts'
import { createLinks } from './links.ts'
import type { PlanFor } from './plan-for.ts'

/** The files of the request with our hashes. Throws what planning does, `busy`, what the hasher does, and `bad-lock` where no file has hashes. */
export type LockFor = (ctx: Context, request: PlanRequest) => Promise<LockHashes>

/** The plan, and the files with our hashes or what keeps them from it. Throws what planning does, and `busy`. */
export type PlanAndLockFor = (ctx: Context, request: PlanRequest) => Promise<{ plan: Plan; hashes: LockHashes | MuslinError }>

/** Adds hashes for whoever asks, within the bounds of a plan, whose turn lasts until that is done. */
export function createLockFor({ planFor, lockHasher, admission, publicUrl }: { planFor: PlanFor; lockHasher: LockHasher; admission: Admission; publicUrl: string | undefined }): { lockFor: LockFor; planAndLockFor: PlanAndLockFor } {
  const links = createLinks({ admission, publicUrl })
  return { lockFor, planAndLockFor }

  async function lockFor(ctx: Context, request: PlanRequest): Promise<LockHashes> {
    return requireHashes(await planFor(ctx, request, (plan) => lockHasher.add(request.files, plan, rootsFor(ctx))))
  }

  async function planAndLockFor(ctx: Context, request: PlanRequest): Promise<{ plan: Plan; hashes: LockHashes | MuslinError }> {
    return planFor(ctx, request, async (plan) => ({ plan, hashes: await lockHasher.add(request.files, plan, rootsFor(ctx)).catch(known) }))
  }

  /** URLs in a lock hold for all who read it: under its own index where that is this server, else under `publicUrl`, else as it was asked. */
  function rootsFor(ctx: Context): RootOf {
    const root = links.root(ctx)
    // `Host` may have a port that is none.
    const here = root === undefined ? null : URL.parse(root.replace(/\/*$/, '/'))
    return (index) => {
      const own = index === undefined ? undefined : rootOfIndex(index)
      if (own !== undefined && here && isOurs(new URL(own), here)) return own
      if (here) return here.href
      throw new MuslinError('strange-host', `the lock gets URLs of wheels, and ${ctx.req.headers.host ?? 'no host'} is no name of this server: set publicUrl`)
    }
  }

  /** Any address may be somebody else's; names are told, and another port is another server, as is another path where ours is known. */
  function isOurs({ hostname, host, port, protocol, pathname }: URL, here: URL): boolean {
    if (publicUrl !== undefined && pathname !== here.pathname) return false
    if (host === here.host) return true
    const known = isLoopback(hostname) || (isIP(hostname.replace(/^\[|\]$/g, '')) === 0 && admission.isOwnHost(hostname))
    return known && protocol === here.protocol && port === here.port
  }
}

/** What is written for people stands beside the plan; all else ends the request. */
function known(error: unknown): MuslinError {
  if (error instanceof MuslinError && error.code !== 'internal') return error
  throw error
}
