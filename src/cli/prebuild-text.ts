/** A prebuild in the words of the command line. */
import type { Prebuild, PrebuildLine } from '../services/views.ts'
import type { Api } from './api.ts'
import { duration, table } from './format.ts'
import { type Paint, paintState } from './styles.ts'

/** What it will do, and what it cannot. */
export function opening({ id, name, total, lines }: Prebuild, paint: Paint): string[] {
  const had = lines.filter(({ state }) => state === 'had').length
  const cannot = lines.filter(({ state }) => state === 'cannot')
  return [
    `prebuild ${id} of ${name}: ${total} to build, ${had} there already${cannot.length === 0 ? '' : `, ${cannot.length} cannot be had:`}`,
    ...table(cannot.map((line) => [paintState(paint, 'cannot'), line.project, line.version, line.target, line.why === null ? '' : line.why + after(' — ', line.remedy)])),
  ]
}

/** `5/12, 1 failed, about 2 min left, now lxml 5.3.0`. */
export function progressText({ done, total, failed, remainingSeconds, lines }: Prebuild): string {
  const now = [...new Set(lines.filter(({ state }) => state === 'running').map(({ project, version }) => `${project} ${version}`))]
  return [
    `${done}/${total}`,
    ...failed === 0 ? [] : [`${failed} failed`],
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

export function summary({ id, done, failed, total }: Prebuild): string {
  if (total === 0) return `prebuild ${id}: there was nothing to build`
  return `prebuild ${id}: ${done - failed} of ${total} built${failed === 0 ? '' : `, ${failed} failed`}`
}

function after(between: string, text: string | null | undefined): string {
  return text === null || text === undefined ? '' : between + text
}
