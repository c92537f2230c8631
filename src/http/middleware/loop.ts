import type { Middleware } from 'koa'
import { MuslinError } from '../../errors.ts'

/** Every Muslin on the way names itself in `muslin-via` when it asks its upstream: whoever meets its own name answers 508. */
export function refuseLoops({ instance }: { instance: string }): Middleware {
  return async (ctx, next) => {
    const passed = ctx.get('Muslin-Via').split(',').map((name) => name.trim())
    if (passed.includes(instance)) {
      throw new MuslinError('loop', 'this server is its own upstream, perhaps through others; set upstream to another index')
    }
    await next()
  }
}
