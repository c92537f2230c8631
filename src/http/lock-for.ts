import type { Context } from 'koa'
import { isIP } from 'node:net'
import type { RootOf } from '../domain/lock/entry.ts'
import { rootOfIndex } from '../domain/lock/own-index.ts'
import { isLoopback } from '../domain/local.ts'
import { MuslinError } from '../errors.ts'
import type { Admission } from '../services/admission.ts'
import type { LockHasher } from '../services/lock-hashes.ts'
import type { LockHashes } from '../services/lock-views.ts'
import type { Plan, PlanRequest } from '../services/views.ts'
import { createLinks } from './links.ts'
import type { PlanFor } from './plan-for.ts'

/** The files of the request with our hashes, as its plan has them; that is made where none is given. Throws what planning does, `busy`, and what the hasher does. */
export type LockFor = (ctx: Context, request: PlanRequest, plan?: Plan) => Promise<LockHashes>

/** Adds hashes for whoever asks, within the bounds of a plan. */
export function createLockFor({ planFor, lockHasher, admission, publicUrl }: { planFor: PlanFor; lockHasher: LockHasher; admission: Admission; publicUrl: string | undefined }): LockFor {
  const links = createLinks({ admission, publicUrl })
  return async (ctx, request, plan) => lockHasher.add(request.files, plan ?? await planFor(ctx, request), rootsFor(ctx))

  /** URLs in a lock hold for all who read it: under its own index where that is this server, else under `publicUrl`, else as it was asked. */
  function rootsFor(ctx: Context): RootOf {
    const root = publicUrl?.replace(/\/*$/, '/') ?? links.root(ctx)?.concat('/')
    return (index) => {
      const own = index === undefined ? undefined : rootOfIndex(index)
      if (own !== undefined && isOurs(new URL(own), root)) return own
      if (root !== undefined) return root
      throw new MuslinError('strange-host', `the lock gets URLs of wheels, and ${ctx.req.headers.host ?? 'no host'} is no name of this server: set publicUrl`)
    }
  }

  /** Any address may be somebody else's; names are told, and another port is another server. */
  function isOurs({ hostname, host, port, protocol }: URL, root: string | undefined): boolean {
    if (root === undefined) return false
    const here = new URL(root)
    if (host === here.host) return true
    const known = isLoopback(hostname) || (isIP(hostname.replace(/^\[|\]$/g, '')) === 0 && admission.isOwnHost(hostname))
    return known && protocol === here.protocol && port === here.port
  }
}
