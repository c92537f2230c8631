/** The files and flags that `plan`, `prebuild` and `lock-hashes` have in common. */
import { readFile } from 'node:fs/promises'
import { basename, relative, resolve, sep } from 'node:path'
import type { Command } from 'commander'
import { decodeText, textForm, type TextForm } from '../domain/decode.ts'
import { MuslinError } from '../errors.ts'
import type { PlanRequest } from '../services/views.ts'
import { several } from './arguments.ts'
import type { Context } from './context.ts'

/** As the server takes them. */
const LONGEST_NAME = 255

interface PlanFlags { target?: string[]; extra?: string[]; group?: string[]; name: string }

export function addPlanFlags(command: Command): Command {
  return command
    .argument('<FILE...>', 'requirements.txt, pylock.toml, uv.lock, poetry.lock, pdm.lock or Pipfile.lock; - reads standard input.')
    .option('--target <TARGET>', 'For which target; may be given several times. Default: all that can be built for now.', several)
    .option('--extra <EXTRA>', 'An extra of the locked project itself; may be given several times.', several)
    .option('--group <GROUP>', 'A dependency group; may be given several times. Default: those that the lock\'s own tool installs.', several)
    .option('--name <NAME>', 'The file name of what standard input holds: it tells the format.', 'requirements.txt')
}

/** A lock file as it was read; `path` is undefined for standard input. */
export interface ReadLock { path: string | undefined; name: string; text: string; form: TextForm }

/** What to ask the server. Throws `bad-lock` for a file that cannot be read. */
export async function planRequest(command: Command, files: string[], context: Context): Promise<PlanRequest> {
  return requestFor(command, await readLocks(command, files, context))
}

/** Each file once. Throws `bad-lock` for one that cannot be read. */
export async function readLocks(command: Command, files: string[], context: Context): Promise<ReadLock[]> {
  const { name } = command.opts<PlanFlags>()
  return Promise.all(distinct(files, context.cwd).map((file) => readLockText(file, name, context)))
}

/** What the flags say of these files. */
export function requestFor(command: Command, locks: ReadLock[]): PlanRequest {
  const { target, extra, group } = command.opts<PlanFlags>()
  return {
    files: locks.map(({ name, text }) => ({ name, text })),
    ...target && { targets: target }, ...extra && { extras: extra }, ...group && { groups: group },
  }
}

/** However a path was written, its file is read once. */
function distinct(files: string[], cwd: string): string[] {
  return [...new Map(files.map((file) => [file === '-' ? file : resolve(cwd, file), file])).values()]
}

async function readLockText(file: string, name: string, { cwd, read }: Context): Promise<ReadLock> {
  if (file === '-') return { path: undefined, name: basename(name), ...decoded('standard input', await read()) }
  const path = resolve(cwd, file)
  try {
    return { path, name: nameOf(path, cwd), ...decoded(file, await readFile(path)) }
  } catch (error) {
    if (error instanceof MuslinError) throw error
    throw new MuslinError('bad-lock', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}); check the path`, { cause: error })
  }
}

/** With its folder: files of several folders are often of one name. */
function nameOf(path: string, cwd: string): string {
  const name = relative(cwd, path).split(sep).join('/')
  return name.length > LONGEST_NAME ? basename(path) : name
}

function decoded(from: string, bytes: Uint8Array): Pick<ReadLock, 'text' | 'form'> {
  const text = decodeText(bytes)
  if (text === undefined) throw new MuslinError('bad-lock', `${from} is no text in UTF-8 or UTF-16; give a requirements or lock file`)
  return { text, form: textForm(bytes) }
}
