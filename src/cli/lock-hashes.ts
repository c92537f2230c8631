import { resolve } from 'node:path'
import type { Command } from 'commander'
import { encodeText } from '../domain/decode.ts'
import { lockHashesLine } from '../domain/shell.ts'
import { MuslinError } from '../errors.ts'
import type { LockHashes } from '../services/lock-views.ts'
import type { PlanRequest } from '../services/views.ts'
import type { Api } from './api.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { Ending, EXIT } from './ending.ts'
import { showPrebuild } from './follow-prebuild.ts'
import { count } from './format.ts'
import { addedText, cannotBeHad, checkText, lackingHashes, loopbackWarnings } from './lock-text.ts'
import { addPlanFlags, readLocks, requestFor, type ReadLock } from './plan-request.ts'
import { replaceFile } from './replace-file.ts'
import { painter } from './styles.ts'

interface Flags { check?: boolean; output?: string; allowMissing?: boolean; json?: boolean }

/** `muslin lock-hashes FILE…`: locks that were made against the upstream get the hashes of our wheels. */
export function addLockHashes(program: Command, context: Context): void {
  const command = program.command('lock-hashes').description('Add the hashes of our wheels to a lock file, after building what is missing; every other byte of it stays.')
  addPlanFlags(command)
    .option('--check', 'Build and write nothing: end with 2 when a hash is missing, with a line for each.')
    .option('--output <FILE>', 'Write there and leave the lock as it is; for one lock, and needed for standard input.')
    .option('--allow-missing', 'End with 0 although something cannot be had. A build that fails, or failed before, still ends it with 2.')
  addServerFlags(command).action((files: string[]) => withServer(command, context, async (api) => {
    const { check = false, output, ...flags } = command.opts<Flags>()
    const locks = await readLocks(command, files, context)
    const request = requestFor(command, locks)
    if (check) return tellMissing(await api.lockHashes(request), remedy(files, request), flags, context)
    requireOutput(locks, output)
    const { locks: latest, hashes, failed } = await haveHashes(locks, { command, files, json: flags.json ?? false }, api, context)
    const written = await write(latest, hashes, output === undefined ? undefined : resolve(context.cwd, output))
    tell(hashes, written, flags, context)
    // What cannot be had and has a job is what failed in an earlier run.
    const missing = cannotBeHad(hashes.lines).filter(({ job }) => !flags.allowMissing || job !== null)
    if (failed || missing.length > 0 || hashes.lines.some(({ state }) => state === 'to-build')) throw new Ending(EXIT.failed)
  }))
}

/** Builds need the admin's token: where nothing is to be built, none is asked for. */
async function haveHashes(locks: ReadLock[], { command, files, json }: { command: Command; files: string[]; json: boolean }, api: Api, context: Context): Promise<{ locks: ReadLock[]; hashes: LockHashes; failed: boolean }> {
  const hashes = await api.lockHashes(requestFor(command, locks))
  if (!hashes.lines.some(({ state }) => state === 'to-build')) return { locks, hashes, failed: false }
  const end = await showPrebuild(await api.startPrebuild(requestFor(command, locks)), { wait: true, json }, api, context)
  // Builds take their time: somebody may have locked again meanwhile.
  const latest = locks.some(({ path }) => path === undefined) ? locks : await readLocks(command, files, context)
  return { locks: latest, hashes: await api.lockHashes(requestFor(command, latest)), failed: end.failed > 0 }
}

/** The paths that were written, in the order of the files. */
async function write(locks: ReadLock[], { files }: LockHashes, output: string | undefined): Promise<(string | null)[]> {
  const written: (string | null)[] = []
  for (const [index, { path, text, form }] of locks.entries()) {
    const to = output ?? path
    const after = files[index]!.text
    const changes = to !== undefined && (output !== undefined || after !== text)
    if (changes) await replaceFile(to, encodeText(after, form))
    written.push(changes ? to : null)
  }
  return written
}

function requireOutput(locks: ReadLock[], output: string | undefined): void {
  if (output !== undefined && locks.length > 1) throw new MuslinError('bad-request', '--output is for one lock; leave it out, or give them one by one')
  if (output === undefined && locks.some(({ path }) => path === undefined)) throw new MuslinError('bad-request', 'what standard input holds has no file to be written to; name one by --output')
}

function tell(hashes: LockHashes, written: (string | null)[], { json }: Flags, context: Context): void {
  if (json) context.print(documentOf(hashes, written))
  else for (const line of addedText(hashes, painter(context))) context.print(line)
  for (const line of loopbackWarnings(hashes)) context.warn(line)
}

function tellMissing(hashes: LockHashes, remedy: string | undefined, { json }: Flags, context: Context): void {
  if (json) context.print(documentOf(hashes, []))
  else for (const line of checkText(hashes, painter(context))) context.print(line)
  const lacking = lackingHashes(hashes.lines).length
  if (lacking === 0) return
  const what = `muslin: ${count(lacking, 'hash is', 'hashes are')} missing`
  context.warn(remedy === undefined ? what : `${what}; ${remedy} adds ${lacking === 1 ? 'it' : 'them'}`)
  throw new Ending(EXIT.failed)
}

/** Undefined for standard input alone: what it holds has no file to be written to. */
function remedy(files: string[], request: PlanRequest): string | undefined {
  const named = [...new Set(files)].filter((file) => file !== '-')
  return named.length === 0 ? undefined : lockHashesLine(named, request)
}

/** The texts are in their files. */
function documentOf({ targets, files, lines }: LockHashes, written: (string | null)[]): string {
  return JSON.stringify({ targets, files: files.map(({ text: _, ...file }, index) => ({ ...file, written: written[index] ?? null })), lines }, null, 2)
}
