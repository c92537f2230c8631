import type { Context } from 'koa'
import type { Auth } from '../services/sessions.ts'
import { guardPage } from './csp.ts'
import type { Page, UiDeps } from './deps.ts'
import { page, rootOf, type Frame } from './layout.ts'

/** Answers with a page. */
type Show = (ctx: Context, content: Page) => void

/** What a page's routes get. */
export type PageDeps = UiDeps & { show: Show }

export function createShow(deps: Pick<UiDeps, 'version'>): Show {
  return (ctx, content) => {
    guardPage(ctx)
    ctx.status = 200
    ctx.set('Content-Type', 'text/html; charset=utf-8')
    ctx.body = page(content, frameOf(ctx, deps))
  }
}

/** What stands around the page for this request. */
export function frameOf(ctx: Context, { version }: Pick<UiDeps, 'version'>): Frame {
  // What was sent by a form has no page to come back to.
  const path = ctx.method === 'GET' ? `${ctx.path}${ctx.search}` : '/ui/'
  return { root: rootOf(ctx), path, auth: authOf(ctx), version }
}

/** Who asks; undefined where no session middleware ran. */
export function authOf(ctx: Context): Auth | undefined {
  return ctx.state['auth'] as Auth | undefined
}
