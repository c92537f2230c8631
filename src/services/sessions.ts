/** Browsers that a person logged in with the admin's token. The database knows a cookie by its digest alone. */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock, SessionStore } from './ports.ts'

const LASTS_MS = 30 * 24 * 60 * 60 * 1000
/** As random as a key: nobody guesses a cookie, and none is ever given twice. */
const RANDOM_BYTES = 32

export interface Session {
  /** Forms and scripts of our own pages send it along: a foreign page cannot know it. */
  csrf: string
  expiresAt: number
}

export interface Sessions {
  /** A new session, and the cookie that names it. */
  open(): Promise<{ cookie: string; session: Session }>
  /** The session of a cookie, which may be a stranger's text; undefined where there is none, or it is over. */
  find(cookie: string): Promise<Session | undefined>
  close(cookie: string): Promise<void>
}

/** What a request may do: `ctx.state['auth']` of every request under `/ui` and `/api`. */
export interface Auth {
  session: Session | undefined
  /** Came with the admin's token, or with a session in a way that no foreign page can bring about. */
  admin: boolean
  /** Opens a session where this is the admin's token; false where it is not. */
  login(token: string): Promise<boolean>
  logout(): Promise<void>
  /** Whether this is the session's CSRF token, compared in constant time. */
  csrfOk(value: string | undefined): boolean
}

/** Sessions of 30 days. They end with the token that they were opened by: another one ends them all. */
export function createSessions({ sessions, adminTokenSha256, clock }: {
  sessions: SessionStore
  /** Of the admin's token, hex. */
  adminTokenSha256: string
  clock: Clock
}): Sessions {
  return {
    async open() {
      const cookie = random()
      const session = { csrf: random(), expiresAt: clock.now() + LASTS_MS }
      await sessions.create({ idSha256: digest(cookie), tokenSha256: adminTokenSha256, ...session })
      return { cookie, session }
    },
    async find(cookie) {
      const found = await sessions.get(digest(cookie), clock.now())
      return found?.tokenSha256 === adminTokenSha256 ? { csrf: found.csrf, expiresAt: found.expiresAt } : undefined
    },
    close: (cookie) => sessions.remove(digest(cookie)),
  }
}

function random(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url')
}

function digest(cookie: string): string {
  return createHash('sha256').update(cookie).digest('hex')
}
