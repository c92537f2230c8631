import type { JobView } from '../../services/views.ts'
import { html, type Html } from '../html.ts'
import { csrfField, type Frame } from '../layout.ts'

/** Where no apk changes anything. */
const BEYOND = new Set(['cancelled', 'infrastructure', 'no-sdist', 'skipped'])
const MOST = 4

/** For who is logged in and has a failed build before them: a button for each apk that may be what was missing, and a field for others. */
export function addApks({ id, state, failure }: JobView, frame: Frame): Html | false {
  if (state !== 'failed' || failure === null || BEYOND.has(failure.class) || !frame.auth?.session) return false
  const action = `${frame.root}ui/jobs/${id}/add-apks`
  return html`<section class="panel stack" id="add-apks"><h2>Add what is missing</h2>
<p class="small muted">It goes into this site’s recipe of the project, and the build begins anew.</p>
${failure.apks.length > 0 && html`<form class="actions" method="post" action="${action}">${csrfField(frame.auth)}${failure.apks.slice(0, MOST).map((apk) =>
    html`<button name="apks" value="${apk}">Add ${apk} and try again</button>`)}</form>`}
<form class="fields" method="post" action="${action}">${csrfField(frame.auth)}<div class="field"><label for="apks">${failure.apks.length > 0 ? 'Other apks' : 'Apks'}</label>
<input id="apks" name="apks" required maxlength="500" placeholder="libffi-dev openssl-dev" autocomplete="off" autocapitalize="off" spellcheck="false"></div><button class="quiet">Add and try again</button></form>
</section>`
}
