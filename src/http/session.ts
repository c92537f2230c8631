import { timingSafeEqual } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import { cleanLine } from '../domain/clean.ts'
import { MuslinError } from '../errors.ts'
import type { Admission, Asker } from '../services/admission.ts'
import type { Clock } from '../services/ports.ts'
import type { Auth, Session, Sessions } from '../services/sessions.ts'
import { isTls } from './asker.ts'
import { createLoginLimit } from './login-limit.ts'
import { originOf } from './origin.ts'
import { createTokenCheck, tokenOf } from './token.ts'

/** Browsers tell no port from another (RFC 6265 section 8.5): servers beside each other would end each other's sessions. */
export function sessionCookie(instance: string): string {
  return `muslin_session_${instance.slice(0, 8)}`
}

/** RFC 9110 section 9.2.1: what these ask for changes nothing. */
const SAFE = ['GET', 'HEAD', 'OPTIONS']

/**
 * Says of every request what it may do, in `ctx.state['auth']`. A session's changing request is the admin's only with the CSRF token of
 * its pages, as the header `X-CSRF-Token` or by `csrfOk`, and never from a foreign page.
 */
export function sessionMiddleware({ sessions, asker, admission, adminTokenSha256, publicUrl, instance, clock }: {
  sessions: Sessions
  asker: (ctx: Context) => Asker
  admission: Pick<Admission, 'isOwnHost'>
  /** Of the admin's token, hex. */
  adminTokenSha256: string | undefined
  publicUrl: string | undefined
  /** This server's id. */
  instance: string
  clock: Clock
}): Middleware {
  const name = sessionCookie(instance)
  const isToken = createTokenCheck(adminTokenSha256)
  const limit = createLoginLimit({ clock })

  return async (ctx, next) => {
    const cookie = ctx.cookies.get(name)
    const session = cookie === undefined ? undefined : await sessions.find(cookie)
    const auth = authOf(ctx, session, cookie)
    ctx.state['auth'] = auth
    // Whatever they bring along: a token in an address (`https://token:…@host/`) is sent by browsers for any page, as cookies are.
    if (!SAFE.includes(ctx.method) && originOf(ctx, publicUrl) === 'foreign') {
      throw new MuslinError('forged-request', 'a page of another site changes and starts nothing here; open /ui/ yourself, and set publicUrl where a proxy stands before this server')
    }
    await next()
  }

  function authOf(ctx: Context, found: Session | undefined, cookie: string | undefined): Auth {
    const bearer = isToken(tokenOf(ctx.get('Authorization')))
    let session = found
    let admin = bearer || (session !== undefined && SAFE.includes(ctx.method))
    const auth: Auth = {
      get session() { return session },
      get admin() { return admin },
      csrfOk(value) {
        const right = session !== undefined && isSame(value ?? '', session.csrf)
        admin ||= right
        return right
      },
      async login(token) {
        const place = cookiePlace(ctx)
        if (!isToken(token)) {
          limit.wrong(asker(ctx).address)
          return false
        }
        if (cookie !== undefined) await sessions.close(cookie)
        const opened = await sessions.open()
        session = opened.session
        setCookie(ctx, place, opened.cookie, Math.floor((session.expiresAt - clock.now()) / 1000))
        return true
      },
      async logout() {
        if (cookie !== undefined) await sessions.close(cookie)
        session = undefined
        admin = bearer
        setCookie(ctx, cookiePlace(ctx), '', 0)
      },
    }
    auth.csrfOk(ctx.get('X-CSRF-Token'))
    return auth
  }

  /** By hand: Koa refuses `Secure` on a connection that is plain behind a proxy with TLS. RFC 6265 section 4.1. */
  function setCookie(ctx: Context, { path, secure }: CookiePlace, value: string, seconds: number): void {
    ctx.append('Set-Cookie', `${name}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`)
  }

  /**
   * What the browser of this very request must be told: one that came by publicUrl knows this server under its path alone, one that
   * came by another of our names knows no such path. Throws `strange-host` under a name that is not ours.
   */
  function cookiePlace(ctx: Context): CookiePlace {
    const known = publicUrl === undefined ? undefined : new URL(publicUrl)
    // A proxy may give us a name of its own as the host; the page that was sent by the browser stands at its own.
    if (known && (ctx.get('Host').toLowerCase() === known.host || URL.parse(ctx.get('Origin'))?.host === known.host)) {
      return { path: known.pathname.replace(/(?<=.)\/+$/, ''), secure: known.protocol === 'https:' || isTls(ctx) }
    }
    if (admission.isOwnHost(ctx.req.headers.host)) return { path: '/', secure: isTls(ctx) }
    const host = cleanLine(ctx.get('Host') || '(none)', 100)
    throw new MuslinError('strange-host', `nobody logs in under the host name ${host}, which is none of this server's; add it to allowedHosts, or set publicUrl to the address that people use`)
  }
}

interface CookiePlace { path: string; secure: boolean }

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
