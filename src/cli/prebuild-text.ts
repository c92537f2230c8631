/** A prebuild in the words of the command line. */
import type { PlanLine, Prebuild, PrebuildLine } from '../services/views.ts'
import type { Api } from './api.ts'
import { count, duration, table } from './format.ts'
import { reason } from './plan-text.ts'
import { type Paint, paintState } from './styles.ts'

const MOST_CAUSES = 3

/** What it will do, and what it cannot. */
export function opening({ id, name, total, lines }: Prebuild, paint: Paint): string[] {
  const had = lines.filter(({ state }) => state === 'had').length
  const cannot = missing(lines)
  return [
    `prebuild ${id} of ${name}: ${total} to build, ${had} there already${cannot.length === 0 ? '' : `, ${cannot.length} cannot be had:`}`,
    ...table(cannot.map((line) => [paintState(paint, 'cannot'), line.project, line.version, line.target, reason(line)])),
  ]
}

/** `5/12, 1 failed, about 2 min left, now lxml 5.3.0`. */
export function progressText({ done, total, failed, remainingSeconds, paused, lines }: Prebuild): string {
  const now = [...new Set(lines.filter(({ state }) => state === 'running').map(({ project, version }) => `${project} ${version}`))]
  return [
    `${done}/${total}`,
    ...failed === 0 ? [] : [`${failed} failed`],
    ...paused === null ? [] : [paused],
    ...remainingSeconds === null ? [] : [`about ${duration(remainingSeconds)} left`],
    ...now.length === 0 ? [] : [`now ${now.join(', ')}`],
  ].join(', ')
}

/** A line for a build that has ended; undefined for all else. */
export function endedLine({ state, project, version, target, seconds, failure }: PrebuildLine, paint: Paint): string | undefined {
  if (state !== 'built' && state !== 'failed' && state !== 'cancelled') return undefined
  return `${paintState(paint, state)}  ${project} ${version} for ${target}${seconds === null ? '' : ` in ${duration(seconds)}`}${after(': ', failure?.cause)}`
}

/** Each failure with what helps. */
export function failures({ lines }: Prebuild, link: Api['link'], paint: Paint): string[] {
  return lines.filter(({ state }) => state === 'failed' || state === 'cancelled').flatMap((line) => [
    endedLine(line, paint) ?? '',
    ...line.failure ? [`  remedy  ${line.failure.remedy}`] : [],
    ...line.build === null ? [] : [`  log     ${link(`b/${line.build}`)}`],
    ...line.job === null ? [] : [`  again   muslin retry ${line.job} --follow`],
  ])
}

/** What came of it, or comes of it where it still goes on, and why some cannot be had. */
export function summary({ id, done, failed, total, finished, lines }: Prebuild): string {
  const cannot = missing(lines)
  const built = finished ? `${done - failed} of ${total} built${failed === 0 ? '' : `, ${failed} failed`}` : `${count(total, 'build')} queued`
  if (cannot.length === 0) return `prebuild ${id}: ${total === 0 ? 'there was nothing to build' : built}`
  return `prebuild ${id}: ${total === 0 ? 'nothing is built' : built}, ${cannot.length} cannot be had: ${causes(cannot)}`
}

/** What cannot be had, each once: several files may pin it. */
export function missing<Line extends PlanLine & { state?: PrebuildLine['state'] }>(lines: Line[]): Line[] {
  const cannot = lines.filter(({ state, verdict }) => (state ?? verdict) === 'cannot')
  return [...new Map(cannot.map((line) => [`${line.project} ${line.version} ${line.target}`, line])).values()]
}

/** The commonest first, and how many each is for: `has no sdist (3); no builder is ready for …`. */
export function causes(lines: Pick<PlanLine, 'why'>[]): string {
  const all = [...Map.groupBy(lines, causeOf)].toSorted(([, a], [, b]) => b.length - a.length)
  const told = all.slice(0, MOST_CAUSES).map(([cause, { length }]) => length > 1 ? `${cause} (${length})` : cause)
  return [...told, ...all.length > MOST_CAUSES ? [`and ${count(all.length - MOST_CAUSES, 'other cause')}`] : []].join('; ')
}

function causeOf({ why }: Pick<PlanLine, 'why'>): string {
  return why ?? 'it is not said why'
}

function after(between: string, text: string | null | undefined): string {
  return text === null || text === undefined ? '' : between + text
}
