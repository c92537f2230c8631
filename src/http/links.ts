import type { Context } from 'koa'
import type { Admission } from '../services/admission.ts'
import { isTls } from './asker.ts'

export interface Links {
  /** Where this server's root is for this client, without a slash at the end; undefined where its `Host` is not one of ours. */
  root(ctx: Context): string | undefined
  /** A build's page: absolute wherever possible, since it is shown in a terminal. */
  build(ctx: Context, build: number | undefined): string | undefined
}

/** Links for terminals are absolute: under the name that the client used, if it is ours, else under `publicUrl`. */
export function createLinks({ admission, publicUrl }: { admission: Admission; publicUrl: string | undefined }): Links {
  const base = publicUrl?.replace(/\/+$/, '')
  return { root, build }

  function root(ctx: Context): string | undefined {
    const host = ctx.req.headers.host
    if (base !== undefined && (host === new URL(base).host || !admission.isOwnHost(host))) return base
    return admission.isOwnHost(host) ? `${isTls(ctx) ? 'https' : 'http'}://${host}` : undefined
  }

  function build(ctx: Context, id: number | undefined): string | undefined {
    return id === undefined ? undefined : `${root(ctx) ?? ''}/b/${id}`
  }
}
