import type { LockHashes } from '../../services/lock-views.ts'
import { count, counted } from '../format.ts'
import { html, type Html } from '../html.ts'

/**
 * The files of the plan with the hashes of our wheels, to be downloaded: part of the plan's own form, behind its other buttons, so that the
 * Enter key presses none of these. `hashes` is undefined where the files have none, and need none.
 */
export function hashesSection({ root, hashes }: { root: string; hashes: LockHashes | undefined }): Html | false {
  if (!hashes) return false
  const missing = hashes.files.filter(({ added }) => added > 0)
  const later = new Set(hashes.lines.filter(({ state }) => state === 'to-build').map(({ project, version, target }) => `${project} ${version} ${target}`)).size
  if (missing.length === 0 && later === 0 && !hashes.lines.some(({ state }) => state === 'listed')) return false
  return html`<section class="section" id="hashes"><h2>Hashes of our wheels</h2>
<p>${told(missing.reduce((sum, { added }) => sum + added, 0), later)}</p>
${missing.length > 0 && html`<p class="actions">${hashes.files.map(({ name, added }, index) =>
    added > 0 && html`<button class="quiet" formaction="${root}ui/lock-hashes" formnovalidate name="lock" value="${index}">Download ${name} <span class="num">(${counted(added, 'hash', 'hashes')} added)</span></button> `)}</p>
<p class="hint">Everything else in the file stays as it is, to the byte. On the command line: <code>muslin lock-hashes ${missing.map(({ name }) => name).join(' ')}</code></p>`}
</section>`
}

function told(now: number, later: number): string {
  const soon = later === 0 ? '' : ` ${count(later)} more ${later === 1 ? 'is' : 'are'} to be built: then make the plan again, and ${later === 1 ? 'its hash is' : 'their hashes are'} there too.`
  if (now > 0) return `An installer that checks the lock takes only what it names: by this one it compiles what we have as ${now === 1 ? 'a wheel' : 'wheels'}.${soon}`
  return `The lock names all that we have built.${soon}`
}
