/** Waiting installs in the words of the command line. */
import type { WaitingList, WaitingView } from '../services/waiting-views.ts'
import type { Api } from './api.ts'
import { count, duration, table } from './format.ts'
import { jobName, soon } from './job-text.ts'
import { type Paint, paintState } from './styles.ts'

/** Those that wait now, a row each, and below what is left out. */
export function waitingTable(list: WaitingList, paint: Paint, most = Infinity): string[] {
  const waiting = list.waiting.filter(({ ended }) => ended === null)
  const head = ['waits', 'project', 'version', 'job', 'state', 'left', 'client', 'target'].map((title) => paint('dim', title))
  const rows = waiting.slice(0, most).map((install) => {
    const { id, kind, project, version, state, target } = install.job
    return [
      duration(Math.round(install.seconds)), project, `${version}${kind === 'metadata' ? ' (metadata)' : ''}`, String(id),
      paintState(paint, state) + stage(install), left(install) ?? '', client(install), target,
    ]
  })
  const more = waiting.length - rows.length + list.more
  return [...table([head, ...rows], { right: [0, 3] }), ...more > 0 ? [`and ${more} more`] : [], ...list.others > 0 ? [`${others(list.others, 'wait', 'waits')} too: muslin watch --all`] : []]
}

/** Said where nothing that was asked for waits. */
export function nothingWaits({ others: elsewhere }: WaitingList): string {
  return elsewhere === 0 ? 'nothing waits' : `nothing of this address waits; ${others(elsewhere, 'do', 'does')}: muslin watch --all`
}

/** One install as a line: of who waits for what, and how its job is. */
export function waitingLine(install: WaitingView): string {
  const { seconds, job } = install
  const so = seconds < 1 ? '' : `, for ${duration(Math.round(seconds))} now`
  const rest = left(install)
  return `${client(install)} waits for ${jobName(job)}${so}: job ${job.id} is ${job.state}${stage(install)}${rest === undefined ? '' : `, ${rest} left`}`
}

/** How it ended, in a line. */
export function endedLine(install: WaitingView, link: Api['link'], paint: Paint): string {
  const { ended, seconds, job } = install
  const [who, after] = [client(install), `after ${duration(Math.round(seconds))}`]
  const log = job.build === null ? '' : `, see ${link(`b/${job.build}`)}`
  const rest = left(install)
  if (ended === 'built') return `${paint('good', 'built')}  ${jobName(job)}: ${who} has it ${after}`
  if (ended === 'still-building') return `${paint('busy', 'still building')}  ${jobName(job)}${rest === undefined ? '' : `, ${rest} left`}: ${who} ended ${after}, run it again${log}`
  if (ended === 'left') return `${paint('dim', 'left')}  ${jobName(job)}: ${who} went away ${after}; job ${job.id} is ${job.state}${stage(install)}`
  return `${paint('bad', ended ?? job.state)}  ${jobName(job)}${job.failure ? `: ${job.failure.cause}` : ''}${log}; ${who} ended ${after}`
}

function others(elsewhere: number, many: string, one: string): string {
  return `${count(elsewhere, 'install')} of other addresses ${elsewhere === 1 ? one : many}`
}

/** `pip 26.3 at 10.0.0.7`. */
function client({ tool, version, address }: WaitingView): string {
  const known = tool !== 'other' && tool !== 'browser'
  return `${known ? tool : `a${tool === 'other' ? ' client' : ' browser'}`}${known && version !== null ? ` ${version}` : ''} at ${address}`
}

function stage({ job: { state, step, seconds, ahead, startsInSeconds, waitsFor } }: WaitingView): string {
  if (state === 'running') return ` (${step === null ? '' : `${step}, `}${duration(Math.round(seconds ?? 0))})`
  if (state !== 'queued') return ''
  if (waitsFor.length > 0) return ` (after ${waitsFor.map(({ project, version }) => `${project} ${version}`).join(', ')})`
  if (ahead === null) return ''
  return ` (${ahead === 0 ? 'next' : `${ahead} before it`}${startsInSeconds === null ? '' : `, begins ${soon(Math.round(startsInSeconds))}`})`
}

/** `about 30 s`; undefined where nothing tells it. */
function left({ secondsLeft }: WaitingView): string | undefined {
  if (secondsLeft === null) return undefined
  return secondsLeft < 1 ? 'a moment' : `about ${duration(Math.round(secondsLeft))}`
}
