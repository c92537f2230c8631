import type Router from '@koa/router'
import type { Context } from 'koa'
import { nextPath, requireForm, requireSession, seeOther } from '../guard.ts'
import { html } from '../html.ts'
import { rootOf } from '../layout.ts'
import { readForm } from '../read-form.ts'
import { authOf, type PageDeps } from '../show.ts'

/** Logging in with the admin's token, and out. */
export function loginRoutes(router: Router, { show }: PageDeps): void {
  router.get('/ui/login', (ctx) => showLogin(ctx, nextPath(ctx.query['next']), false))

  router.post('/ui/login', async (ctx) => {
    const form = await readForm(ctx.req)
    const next = nextPath(form.value('next'))
    if (await authOf(ctx)?.login((form.value('token') ?? '').trim())) return seeOther(ctx, rootOf(ctx), next)
    showLogin(ctx, next, true)
    ctx.status = 401
  })

  router.post('/ui/logout', async (ctx) => {
    requireSession(ctx)
    const form = await readForm(ctx.req)
    requireForm(ctx, form.value('csrf'))
    await authOf(ctx)?.logout()
    seeOther(ctx, rootOf(ctx), 'ui/')
  })

  function showLogin(ctx: Context, next: string, refused: boolean): void {
    const root = rootOf(ctx)
    show(ctx, {
      title: 'Log in',
      body: html`<form id="login" class="panel login stack" method="post" action="${root}ui/login">
<h1>Log in</h1>
${authOf(ctx)?.session && html`<div class="notice good"><p>You are logged in already.</p></div>`}
${refused && html`<div class="notice bad" role="alert" id="problem"><p><strong>This is not the admin’s token of this server.</strong> Copy all of it, without spaces.</p></div>`}
<p class="muted">Everybody may look. Starting, repeating and ending builds needs the token.</p>
<input type="hidden" name="next" value="/${next}">
<div class="field"><label for="token">The admin’s token</label><input id="token" type="password" name="token" required autofocus autocomplete="current-password" aria-describedby="token-hint"${refused && html` aria-invalid="true"`}>
<p class="hint" id="token-hint">The server printed it at its first start, and keeps it in the file <code>admin-token</code> of the data folder that <code class="flag">--data</code> names. In Docker: <code>docker exec CONTAINER cat /data/admin-token</code></p></div>
<p class="actions"><button>Log in</button></p>
</form>`,
    })
  }
}
