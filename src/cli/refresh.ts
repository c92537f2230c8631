import type { Command } from 'commander'
import type { Refreshed } from '../services/refresh-views.ts'
import { changeEach } from './change-each.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { errorDocument } from './error-document.ts'

/** So many files are named of each kind; `--json` has all. */
const MOST_NAMED = 10

/** `muslin refresh PROJECT…`: what was just published upstream is seen at once. */
export function addRefresh(program: Command, context: Context): void {
  const command = program.command('refresh')
    .description('Ask the upstream anew for the pages of projects, past every cache on the way, and tell what changed. Where it fails, the page is served as it was.')
    .argument('<PROJECT...>', 'The projects\' names.')
  addServerFlags(command).action((projects: string[]) => withServer(command, context, async (api) => {
    const { changed: refreshed, refusal } = await changeEach(projects, (project) => api.refresh(project), context)
    if (command.opts<{ json?: boolean }>().json) context.print(JSON.stringify({ refreshed, ...refusal && { error: errorDocument(refusal) } }, null, 2))
    else for (const line of refreshed.flatMap(linesOf)) context.print(line)
    if (refusal) throw refusal
  }))
}

function linesOf({ project, known, files, ...names }: Refreshed): string[] {
  const kinds = [['new', names.added], ['gone', names.gone], ['changed', names.changed]] as const
  const told = kinds.filter(([, { length }]) => length > 0)
  const counts = told.length === 0 ? ['unchanged'] : told.map(([kind, { length }]) => `${length} ${kind}`)
  const now = known ? `${files} ${files === 1 ? 'file' : 'files'}` : 'the upstream knows no such project'
  return [`${project}: ${counts.join(', ')}; ${now}`, ...told.flatMap(([kind, list]) => [
    ...list.slice(0, MOST_NAMED).map((filename) => `  ${kind.padEnd(7)}  ${filename}`),
    ...list.length > MOST_NAMED ? [`  ${kind.padEnd(7)}  and ${list.length - MOST_NAMED} more`] : [],
  ])]
}
