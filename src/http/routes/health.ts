import type Router from '@koa/router'
import type { ReadyTargets } from '../../services/ready-targets.ts'

export interface HealthDeps {
  readyTargets: ReadyTargets
  /** Whether the upstream is never asked. */
  offline: boolean
  closing: AbortSignal
}

/** `/healthz`: the process answers. `/readyz`: it can do its work, and if not, why; a missing builder is told, but proxying goes on. */
export function healthRoutes(router: Router, { readyTargets, offline, closing }: HealthDeps): void {
  router.get('/healthz', (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = 'ok\n'
  })

  router.get('/readyz', async (ctx) => {
    const reasons: string[] = []
    const notes: string[] = []
    if (offline) notes.push('offline: the upstream is never asked, and what was seen before is served')
    if (closing.aborted) reasons.push('the server is shutting down')
    try {
      // Reads the database, which is what everything else hangs on.
      const targets = [...(await readyTargets()).keys()]
      notes.push(targets.length > 0 ? `wheels are built for ${targets.join(', ')}` : 'no builder is ready: the upstream is proxied, nothing is promised')
    } catch {
      reasons.push('the database cannot be read; the server\'s log tells why')
    }
    ctx.status = reasons.length === 0 ? 200 : 503
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { ready: reasons.length === 0, reasons, notes }
  })
}
