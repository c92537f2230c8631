import { timingSafeEqual } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import { MuslinError } from '../errors.ts'
import type { Asker } from '../services/admission.ts'
import type { Clock } from '../services/ports.ts'
import type { Auth, Session, Sessions } from '../services/sessions.ts'
import { isTls } from './asker.ts'
import type { Links } from './links.ts'
import { createLoginLimit } from './login-limit.ts'
import { originOf } from './origin.ts'
import { createTokenCheck, tokenOf } from './token.ts'

/** By this name what a person with the admin's token asked for is known. */
export const ADMIN = 'admin'

const COOKIE = 'muslin_session'
/** RFC 9110 section 9.2.1: what these ask for changes nothing. */
const SAFE = ['GET', 'HEAD', 'OPTIONS']

/**
 * Says of every request what it may do, in `ctx.state['auth']`. A session's changing request is the admin's only with the CSRF token of
 * its pages, as the header `X-CSRF-Token` or by `csrfOk`, and never from a foreign page.
 */
export function sessionMiddleware({ sessions, asker, links, adminTokenSha256, publicUrl, clock }: {
  sessions: Sessions
  asker: (ctx: Context) => Asker
  links: Links
  /** Of the admin's token, hex. */
  adminTokenSha256: string | undefined
  publicUrl: string | undefined
  clock: Clock
}): Middleware {
  const isToken = createTokenCheck(adminTokenSha256)
  const limit = createLoginLimit({ clock })

  return async (ctx, next) => {
    const cookie = ctx.cookies.get(COOKIE)
    const session = cookie === undefined ? undefined : await sessions.find(cookie)
    ctx.state['auth'] = authOf(ctx, session, cookie)
    await next()
  }

  function authOf(ctx: Context, found: Session | undefined, cookie: string | undefined): Auth {
    const bearer = isToken(tokenOf(ctx.get('Authorization')))
    const foreign = originOf(ctx, publicUrl) === 'foreign'
    let session = found
    let admin = bearer || (session !== undefined && SAFE.includes(ctx.method))
    const auth: Auth = {
      get session() { return session },
      get admin() { return admin },
      csrfOk(value) {
        const right = !foreign && session !== undefined && isSame(value ?? '', session.csrf)
        admin ||= right
        return right
      },
      async login(token) {
        // A foreign page must not log anybody in, not even as somebody else.
        if (foreign) throw new MuslinError('forged-request', 'a page of another site never logs in; open /ui/login yourself, and set publicUrl where a proxy stands before this server')
        const { address } = asker(ctx)
        limit.check(address)
        if (!isToken(token)) {
          limit.wrong(address)
          return false
        }
        const opened = await sessions.open()
        session = opened.session
        setCookie(ctx, opened.cookie, Math.floor((session.expiresAt - clock.now()) / 1000))
        return true
      },
      async logout() {
        if (cookie !== undefined) await sessions.close(cookie)
        session = undefined
        admin = bearer
        setCookie(ctx, '', 0)
      },
    }
    auth.csrfOk(ctx.get('X-CSRF-Token'))
    return auth
  }

  /** By hand: Koa refuses `Secure` on a connection that is plain behind a proxy with TLS. RFC 6265 section 4.1. */
  function setCookie(ctx: Context, value: string, seconds: number): void {
    const root = links.root(ctx)
    const secure = isTls(ctx) || root?.startsWith('https:') === true
    // A browser that came by publicUrl knows this server under its path alone.
    const path = root === undefined ? '/' : new URL(root).pathname
    ctx.append('Set-Cookie', `${COOKIE}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`)
  }
}

/** Throws where this request may change nothing: `token-needed`, or `forged-request` of somebody who is logged in. */
export function requireAdmin(ctx: Context): void {
  const { admin, session } = ctx.state['auth'] as Auth
  if (admin) return
  if (session) throw new MuslinError('forged-request', 'the request has no CSRF token of this session, or comes from another site; open the page again and press the button there')
  throw new MuslinError('token-needed', 'this changes something; send the admin\'s token as a bearer token, or log in at /ui/login')
}

function isSame(value: string, right: string): boolean {
  const [one, other] = [Buffer.from(value), Buffer.from(right)]
  return one.length === other.length && timingSafeEqual(one, other)
}
