import type { Middleware } from 'koa'

/**
 * Takes the path of `publicUrl` off, for proxies that pass it on; those that cut it themselves change nothing, since all our
 * own links are relative.
 */
export function stripPrefix({ publicUrl }: { publicUrl: string | undefined }): Middleware {
  const prefix = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')
  return async (ctx, next) => {
    if (prefix && ctx.path.startsWith(`${prefix}/`)) ctx.path = ctx.path.slice(prefix.length)
    await next()
  }
}
