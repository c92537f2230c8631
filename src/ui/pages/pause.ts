import type Router from '@koa/router'
import type { Overview } from '../../services/views.ts'
import { timeTag } from '../format.ts'
import { requireForm, requireSession, seeOther } from '../guard.ts'
import { html, type Html } from '../html.ts'
import { csrfField, rootOf, type Frame } from '../layout.ts'
import { readForm } from '../read-form.ts'
import type { PageDeps } from '../show.ts'

/** The buttons of the overview that stop and start the building. */
export function pauseRoutes(router: Router, { pausing }: PageDeps): void {
  for (const verb of ['pause', 'resume'] as const) {
    router.post(`/ui/${verb}`, async (ctx) => {
      requireSession(ctx)
      const form = await readForm(ctx.req)
      requireForm(ctx, form.value('csrf'))
      if (verb === 'pause') await pausing.pause(form.value('reason') || undefined)
      else await pausing.resume()
      seeOther(ctx, rootOf(ctx), 'ui/')
    })
  }
}

/** Says that there is a pause, with the button that ends it for who is logged in. */
export function pauseNotice({ pause }: Overview, frame: Frame, now: number): Html | false {
  if (pause === null) return false
  return html`<div class="notice" id="paused"><p><strong>Builds are paused</strong> since ${timeTag(pause.since, now)}${pause.reason !== null && html`: <span id="pause-reason">${pause.reason}</span>`}.
What runs goes on; nothing new begins, and nothing is promised meanwhile.</p>
${frame.auth?.session && html`<form class="actions" method="post" action="${frame.root}ui/resume">${csrfField(frame.auth)}<button id="resume">Resume</button></form>`}</div>`
}

/** For who is logged in, while nothing is paused. */
export function pauseForm({ pause }: Overview, frame: Frame): Html | false {
  if (pause !== null || !frame.auth?.session) return false
  return html`<details id="pause-builds"><summary>Pause builds</summary>
<form class="fields" method="post" action="${frame.root}ui/pause">${csrfField(frame.auth)}<div class="field"><label for="reason">Reason, for those who wait</label>
<input id="reason" name="reason" maxlength="200" placeholder="the machine is moved" autocomplete="off"></div><button id="pause" class="quiet">Pause</button></form></details>`
}
