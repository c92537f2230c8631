import type { Middleware } from 'koa'

/**
 * Takes the path of `publicUrl` off, for proxies that pass it on; those that cut it themselves change nothing, since all our
 * own links are relative.
 */
export function stripPrefix({ publicUrl }: { publicUrl: string | undefined }): Middleware {
  const prefix = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')
  return async (ctx, next) => {
    // As people type it. Relative: the name by which they came is none of ours to know.
    if (prefix && ctx.path === prefix) return ctx.redirect(`${prefix.slice(prefix.lastIndexOf('/') + 1)}/${ctx.search}`)
    if (prefix && ctx.path.startsWith(`${prefix}/`)) ctx.path = ctx.path.slice(prefix.length)
    await next()
  }
}
