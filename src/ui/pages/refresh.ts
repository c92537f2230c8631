import type Router from '@koa/router'
import { projectNamed } from '../../domain/names.ts'
import { requireForm, requireSession, seeOther } from '../guard.ts'
import { html, type Html } from '../html.ts'
import { csrfField, rootOf } from '../layout.ts'
import { readForm } from '../read-form.ts'
import type { authOf, PageDeps } from '../show.ts'

/** The button of a project's page that asks the upstream anew. */
export function refreshRoutes(router: Router, { refresh }: PageDeps): void {
  router.post('/ui/projects/:project/refresh', async (ctx) => {
    requireSession(ctx)
    const form = await readForm(ctx.req)
    requireForm(ctx, form.value('csrf'))
    const project = projectNamed(String(ctx.params['project']))
    await refresh(project)
    seeOther(ctx, rootOf(ctx), `ui/projects/${project}`)
  })
}

/** For who is logged in; nothing where nobody may be asked. */
export function refreshForm({ root, project, auth, offline }: { root: string; project: string; auth: ReturnType<typeof authOf>; offline: boolean }): Html | false {
  if (!auth?.session || offline) return false
  return html`<form method="post" action="${root}ui/projects/${project}/refresh">${csrfField(auth)}<button id="refresh" class="quiet" title="Ask the upstream now, past every cache">Refresh</button></form>`
}
