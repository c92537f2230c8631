import type { Command } from 'commander'
import { normalizeName } from '../domain/names.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { followWaiting } from './follow-waiting.ts'
import { painter } from './styles.ts'
import { nothingWaits, waitingTable } from './watch-text.ts'

/** `muslin watch [PROJECT…]`: the installs that wait now, live. */
export function addWatch(program: Command, context: Context): void {
  const command = program.command('watch')
    .description('Show one\'s own waiting installs, live: which client waits for which wheel, how long, how far the build is, and how it ended. With --json one object a line.')
    .argument('[PROJECT...]', 'Only those that wait for these projects.', (word: string, before: string[] | undefined) => [...before ?? [], normalizeName(word)])
    .option('--all', 'Those of all addresses. Default: of the address that this command asks from; all, on the server\'s own machine.')
    .option('--once', 'Print what waits now, and end.')
  addServerFlags(command).action((projects: string[]) => withServer(command, context, async (api) => {
    const { all = false, once = false, json = false } = command.opts<{ all?: boolean; once?: boolean; json?: boolean }>()
    const filter = { own: !all, projects }
    if (!once) return followWaiting(filter, { api, context, json })
    const list = await api.waiting(filter)
    if (json) return context.print(JSON.stringify(list, null, 2))
    const lines = list.waiting.some(({ ended }) => ended === null) ? waitingTable(list, painter(context)) : [nothingWaits(list)]
    for (const line of lines) context.print(line)
  }))
}
