import type { Context } from 'koa'
import type { Admission } from '../services/admission.ts'
import { isTls } from './asker.ts'

export interface Links {
  /** Where people find this server's root, without a slash at the end; undefined where no `publicUrl` is set and the request's `Host` is not ours. */
  root(ctx: Context): string | undefined
  /** A build's page: absolute wherever possible, since it is shown in a terminal. */
  build(ctx: Context, build: number | undefined): string | undefined
  /** As `root`, for a machine that goes on from here: under the name by which it came, where that is ours. */
  here(ctx: Context): string | undefined
}

/**
 * Links for people are under `publicUrl` where it is set: by whatever name a client came (a proxy's upstream address, the name of the host
 * inside a container), whoever reads its output sits elsewhere. Without it, under the name that the client used, if it is ours.
 */
export function createLinks({ admission, publicUrl }: { admission: Pick<Admission, 'isOwnHost'>; publicUrl: string | undefined }): Links {
  const base = publicUrl === undefined ? undefined : withoutCredentials(publicUrl)
  return { root: (ctx) => base ?? asked(ctx), build, here }

  function build(ctx: Context, id: number | undefined): string | undefined {
    return id === undefined ? undefined : `${base ?? asked(ctx) ?? ''}/b/${id}`
  }

  function here(ctx: Context): string | undefined {
    return base !== undefined && ctx.req.headers.host === new URL(base).host ? base : asked(ctx) ?? base
  }

  function asked(ctx: Context): string | undefined {
    const { host } = ctx.req.headers
    return admission.isOwnHost(host) ? `${isTls(ctx) ? 'https' : 'http'}://${host}` : undefined
  }
}

/** docker-args keeps a name and password out of what it prints; lines and pages are seen by all. */
export function withoutCredentials(address: string): string {
  const url = new URL(address)
  url.username = ''
  url.password = ''
  return url.href.replace(/\/+$/, '')
}
