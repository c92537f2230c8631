import type { Context, Middleware } from 'koa'
import { MuslinError } from '../../errors.ts'

/** No team chains more servers than that. */
const MOST = 20

/** Every Muslin on the way names itself in `muslin-via` behind those before it: whoever meets its own name answers 508. */
export function refuseLoops({ instance }: { instance: string }): Middleware {
  return async (ctx, next) => {
    const passed = namesIn(ctx)
    if (passed.includes(instance) || passed.length > MOST) {
      throw new MuslinError('loop', 'this server is its own upstream, perhaps through others; set upstream to another index')
    }
    await next()
  }
}

/** The servers that a request came through, as they are told to the upstream; undefined for none. */
export function viaOf(ctx: Context): string | undefined {
  return namesIn(ctx).join(', ') || undefined
}

/** Only names that a server gives itself are passed on. */
function namesIn(ctx: Context): string[] {
  return ctx.get('Muslin-Via').split(',').map((name) => name.trim()).filter((name) => /^[\w-]{1,100}$/.test(name))
}
