import { ERRORS, type MuslinError } from '../../errors.ts'
import type { Page } from '../deps.ts'
import { sentence } from '../format.ts'
import { html } from '../html.ts'
import { loginUrl, type Frame } from '../layout.ts'

/** The page that says what went wrong, and what helps. */
export function errorBody(error: MuslinError, frame: Frame): Page {
  const { status, title, remedy } = ERRORS[error.code]
  return {
    title,
    body: html`<section class="panel error">
<p class="eyebrow">Error ${status} · <code>${error.code}</code></p>
<h1>${title}</h1>
<p id="cause" class="lead">${sentence(error.detail)}</p>
<p id="remedy">${remedy}</p>
<p class="actions">${error.code === 'token-needed' && html`<a class="button" href="${loginUrl(frame)}">Log in</a> `}
${error.link !== undefined && html`<a class="button quiet" href="${fromRoot(error.link, frame.root)}">More about it</a> `}
<a class="button quiet" href="${frame.root}ui/">To the overview</a></p>
</section>`,
  }
}

/** Links of errors are absolute, or begin with a slash at the server's root. */
function fromRoot(link: string, root: string): string {
  return link.startsWith('/') ? `${root}${link.slice(1)}` : link
}
