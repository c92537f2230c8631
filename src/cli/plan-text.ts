/** A plan in the words of the command line. */
import { APK_NAME } from '../domain/missing.ts'
import type { Plan, PlanLine } from '../services/views.ts'
import { count, duration, table } from './format.ts'
import type { Paint } from './styles.ts'

const VERDICTS = { 'upstream-wheel': 'upstream wheel', 'built': 'built', 'would-build': 'would build', 'cannot': 'cannot' } as const

/** What each file pins, then what becomes of each pin, by verdict: what needs a person's eye comes last. */
export function planText({ files, targets, lines, totals }: Plan, paint: Paint): string[] {
  const cells = table(lines.map((line) => ['', line.project, line.version, line.target, time(line), detail(line)]), { right: [4] })
  const groups = (Object.keys(VERDICTS) as PlanLine['verdict'][]).flatMap((verdict) => {
    const rows = cells.filter((_row, at) => lines[at]?.verdict === verdict)
    if (rows.length === 0) return []
    const total = verdict === 'would-build' ? `, about ${duration(totals.estimateSeconds)} in all` : ''
    return ['', `${paint('bold', VERDICTS[verdict])}: ${rows.length}${total}`, ...rows]
  })
  return [
    ...files.map(({ name, kind, pins }) => `${name}: ${count(pins, 'pin')} (${kind})`),
    targets.length === 0 ? 'no target' : `${count(targets.length, 'target')}: ${targets.join(', ')}`,
    ...groups,
  ]
}

/** What the image of its users must hold besides, by release, and all of it as a line for a Dockerfile: names of apks alone, since a shell reads it. */
export function runtimeApksText({ lines }: Pick<Plan, 'lines'>, paint: Paint): string[] {
  const wanting = lines.map((line) => ({ ...line, runtimeApks: line.runtimeApks.filter((apk) => APK_NAME.test(apk)) })).filter(({ runtimeApks }) => runtimeApks.length > 0)
  if (wanting.length === 0) return ['', 'nothing of it is known to need an apk where it runs']
  const rows = table(wanting.map((line) => ['', line.project, line.version, line.target, line.runtimeApks.join(' ')]))
  const all = new Set(wanting.flatMap(({ runtimeApks }) => runtimeApks))
  return ['', `${paint('bold', 'needed where it runs')}: ${count(all.size, 'apk')}`, ...rows, '', `apk add ${[...all].toSorted().join(' ')}`]
}

function time({ verdict, estimateSeconds }: PlanLine): string {
  return verdict === 'would-build' && estimateSeconds !== null ? `~${duration(estimateSeconds)}` : ''
}

function detail({ verdict, filename, sdist, why, remedy, job, file, line }: PlanLine): string {
  if (verdict === 'cannot') return `${reason({ why, remedy, job })}${line === null ? '' : ` (${file}, line ${line})`}`
  if (verdict === 'would-build') return `${sdist?.filename ?? ''}${job === null ? '' : ` (job ${job})`}`
  return filename ?? ''
}

/** Why a line cannot be had, and what helps; where a build failed before, how to try it again. */
export function reason({ why, remedy, job }: Pick<PlanLine, 'why' | 'remedy' | 'job'>): string {
  const help = [...remedy === null ? [] : [remedy], ...job === null ? [] : [`muslin retry ${job} --follow tries it again`]]
  return [why ?? 'it is not said why', ...help.length === 0 ? [] : [help.join('; ')]].join(' — ')
}
