import { lockHashesLine } from '../../domain/shell.ts'
import { MuslinError } from '../../errors.ts'
import type { LockHashes } from '../../services/lock-views.ts'
import { count, counted } from '../format.ts'
import { html, type Html } from '../html.ts'
import { PASTED, planRequest, type PlanForm } from '../plan-form.ts'
import { problemNote, problemOf } from './problem.ts'

/**
 * The files of the plan with the hashes of our wheels, to be downloaded: part of the plan's own form, behind its other buttons, so that the
 * Enter key presses none of these. Nothing is shown where no file has hashes, and none needs any.
 */
export function hashesSection({ root, hashes, form }: { root: string; hashes: LockHashes | MuslinError; form: PlanForm }): Html | false {
  if (hashes instanceof MuslinError) return section(problemNote(problemOf(hashes), 'hashes-problem'))
  const { files, lines } = hashes
  const missing = files.filter(({ added }) => added > 0)
  const later = new Set(lines.filter(({ state }) => state === 'to-build').map(({ project, version, target }) => `${project} ${version} ${target}`)).size
  if (files.every(({ note }) => note !== null)) return false
  if (missing.length === 0 && later === 0 && !lines.some(({ state }) => state === 'listed')) return false
  return section(html`<p>${told(missing.reduce((sum, { added }) => sum + added, 0), later)}</p>
${files.map(({ name, note }) => note !== null && html`<p class="hint"><strong>${name}:</strong> ${note}.</p>`)}
${missing.length > 0 && html`<p class="actions">${files.map(({ name, added }, index) =>
    added > 0 && html`<button class="quiet" formaction="${root}ui/lock-hashes" formnovalidate name="lock" value="${index}">Download ${name} <span class="num">(${counted(added, 'hash', 'hashes')} added)</span></button> `)}</p>
<p class="hint">Everything else in the file stays as it is, to the byte.${onCommandLine(missing.map(({ name }) => name), form)}</p>`}`)
}

function section(content: Html): Html {
  return html`<section class="section" id="hashes"><h2>Hashes of our wheels</h2>
${content}
</section>`
}

/** What was pasted has no name there. */
function onCommandLine(names: string[], form: PlanForm): Html | false {
  const pasted = form.text.trim() === '' ? undefined : planRequest(form).files[0]!.name
  const files = names.filter((name) => name !== PASTED && name !== pasted)
  return files.length > 0 && html` On the command line: <code>${lockHashesLine(files, planRequest(form))}</code>`
}

function told(now: number, later: number): string {
  const soon = later === 0 ? '' : ` ${count(later)} more ${later === 1 ? 'is' : 'are'} to be built: then make the plan again, and ${later === 1 ? 'its hash is' : 'their hashes are'} there too.`
  if (now > 0) return `An installer that checks the lock takes only what it names: by this one it compiles what we have as ${now === 1 ? 'a wheel' : 'wheels'}.${soon}`
  return `The lock names all that we have built.${soon}`
}
