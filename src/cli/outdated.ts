import type { Command } from 'commander'
import type { Outdated, OutdatedLine, OutdatedRebuilt } from '../services/rebuild-views.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { count, table } from './format.ts'
import { jobName } from './job-text.ts'
import { type Paint, painter, paintState } from './styles.ts'

/** `muslin outdated`: wheels whose bundled libraries have newer apks. */
export function addOutdated(program: Command, context: Context): void {
  const command = program.command('outdated')
    .description('List the wheels that carry an older library than the Alpine branch has that they were built on.')
    .option('--rebuild', 'Have them built anew, under the next build number; the older ones stay listed, as yanked.')
  addServerFlags(command).action(() => withServer(command, context, async (api) => {
    const { rebuild = false, json = false } = command.opts<{ rebuild?: boolean; json?: boolean }>()
    const { outdated, unreachable } = await api.outdated()
    const rebuilt = rebuild && outdated.length > 0 ? await api.rebuildOutdated({ filenames: [...new Set(outdated.map(({ filename }) => filename))] }) : undefined
    for (const one of unreachable) context.warn(unreachableLine(one))
    if (json) context.print(JSON.stringify({ outdated, unreachable, ...rebuilt && { rebuilt } }, null, 2))
    else for (const line of [...outdatedTable(outdated, unreachable.length > 0, painter(context)), ...rebuilt ? rebuiltLines(rebuilt) : []]) context.print(line)
  }))
}

function unreachableLine({ repository, arch, why, since }: Outdated['unreachable'][number]): string {
  const unknown = since === null ? 'nothing was compared with it' : `what is newer than its index of ${since} is not known`
  return `muslin: ${repository} cannot be asked for ${arch}, so ${unknown}: ${why}`
}

function outdatedTable(outdated: OutdatedLine[], partly: boolean, paint: Paint): string[] {
  if (outdated.length === 0) return [partly ? 'no wheel is known to carry an outdated library' : 'no wheel carries an outdated library']
  const head = ['wheel', 'library', 'apk', 'has', 'newest', 'rebuild'].map((title) => paint('dim', title))
  return table([head, ...outdated.map(({ filename, library, apk, has, newest, job, state }) => [
    filename, library, apk, has, newest, job === null || state === null ? '' : `${paintState(paint, state)} (job ${job})`,
  ])])
}

function rebuiltLines({ jobs, left }: OutdatedRebuilt): string[] {
  return [
    `${count(jobs.length, 'rebuild')} queued`,
    ...jobs.map((job) => `job ${job.id}  ${jobName(job)}`),
    ...left.map(({ filename, why }) => `${filename} is left as it is: ${why}`),
  ]
}
