import type { Command } from 'commander'
import type { PauseState } from '../services/views.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'

/** `muslin pause`: nothing new is built until `muslin resume`. */
export function addPause(program: Command, context: Context): void {
  const command = program.command('pause').description('Begin no more builds until muslin resume. What runs goes on; nothing is promised meanwhile, and who waits for what is queued is told so.')
    .option('--reason <TEXT>', 'Why, for those who wait; an empty one takes an earlier one away.')
  addServerFlags(command).action(() => withServer(command, context, async (api) => {
    tell(command, context, await api.pause(command.opts<{ reason?: string }>().reason))
  }))
}

/** `muslin resume`: ends the pause. */
export function addResume(program: Command, context: Context): void {
  const command = program.command('resume').description('End a pause: queued builds begin again.')
  addServerFlags(command).action(() => withServer(command, context, async (api) => { tell(command, context, await api.resume()) }))
}

function tell(command: Command, context: Context, state: PauseState): void {
  const { pause } = state
  if (command.opts<{ json?: boolean }>().json) context.print(JSON.stringify(state, null, 2))
  else if (pause === null) context.print('builds go on')
  else context.print(`builds are paused since ${pause.since}${pause.reason === null ? '' : `: ${pause.reason}`}; muslin resume ends it`)
}
