/** The files and flags that `plan` and `prebuild` have in common. */
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { MuslinError } from '../errors.ts'
import type { PlanRequest } from '../services/views.ts'
import { several } from './arguments.ts'
import type { Context } from './context.ts'

interface PlanFlags { target?: string[]; extra?: string[]; group?: string[]; name: string }

export function addPlanFlags(command: Command): Command {
  return command
    .argument('<FILE...>', 'requirements.txt, pylock.toml, uv.lock or poetry.lock; - reads standard input.')
    .option('--target <TARGET>', 'For which target; may be given several times. Default: all that can be built for now.', several)
    .option('--extra <EXTRA>', 'An extra of the locked project itself; may be given several times.', several)
    .option('--group <GROUP>', 'A dependency group; may be given several times. Default: those that the lock\'s own tool installs.', several)
    .option('--name <NAME>', 'The file name of what standard input holds: it tells the format.', 'requirements.txt')
}

/** What to ask the server. Throws `bad-lock` for a file that cannot be read. */
export async function planRequest(command: Command, files: string[], context: Context): Promise<PlanRequest> {
  const { target, extra, group, name } = command.opts<PlanFlags>()
  return {
    files: await Promise.all([...new Set(files)].map((file) => readLockText(file, name, context))),
    ...target && { targets: target }, ...extra && { extras: extra }, ...group && { groups: group },
  }
}

async function readLockText(file: string, name: string, { cwd, read }: Context): Promise<{ name: string; text: string }> {
  if (file === '-') return { name: basename(name), text: await read() }
  try {
    return { name: basename(file), text: await readFile(resolve(cwd, file), 'utf8') }
  } catch (error) {
    throw new MuslinError('bad-lock', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}); check the path`, { cause: error })
  }
}
