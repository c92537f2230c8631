import type { WaitingInstall } from '../../services/waiting-installs.ts'
import { iso } from '../../services/job-views.ts'
import { counted, runningTag } from '../format.ts'
import { html, type Html } from '../html.ts'

const SHOWN = 3

/** Who waits here now, the longest first: `2 installs wait: pip 26.3 at 10.0.0.7 for 1 min 20 s, …`. False where nobody does. */
export function waitingLine(installs: WaitingInstall[], now: number): Html | false {
  const waiting = installs.filter(({ ended }) => ended === undefined)
  if (waiting.length === 0) return false
  const clients = waiting.slice(0, SHOWN).map(({ tool, version, address, began }, index) =>
    html`${index > 0 && ', '}${tool === 'other' ? 'a client' : tool}${version !== undefined && tool !== 'browser' && tool !== 'other' && ` ${version}`} at ${address} for ${runningTag(iso(began), now)}`)
  const more = waiting.length - clients.length
  return html`<p class="small" id="installs"><strong>${counted(waiting.length, 'install')} ${waiting.length === 1 ? 'waits' : 'wait'}:</strong> ${clients}${more > 0 && ` and ${more} more`}.</p>`
}
