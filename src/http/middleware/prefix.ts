import type { Middleware } from 'koa'

/**
 * Takes the path of `publicUrl` off, for proxies that pass it on; those that cut it themselves change nothing, since all our
 * own links are relative.
 */
export function stripPrefix({ publicUrl }: { publicUrl: string | undefined }): Middleware {
  const prefix = prefixOf(publicUrl)
  return async (ctx, next) => {
    // As people type it. Relative: the name by which they came is none of ours to know.
    if (prefix && ctx.path === prefix) return ctx.redirect(`${prefix.slice(prefix.lastIndexOf('/') + 1)}/${ctx.search}`)
    ctx.path = withoutPrefix(ctx.path, prefix)
    await next()
  }
}

/** The path of `publicUrl`, without a slash at its end. */
export function prefixOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')
}

export function withoutPrefix(path: string, prefix: string): string {
  return prefix && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
}
