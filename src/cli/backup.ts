import { open, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { MuslinError } from '../errors.ts'
import type { BackupReport, Upkeep } from '../services/upkeep.ts'
import type { Context } from './context.ts'
import { addDataFlags, openUpkeep } from './data-flags.ts'
import { count, size } from './format.ts'
import { createMeter } from './meter.ts'

/** Told by name, so that a pipe can be checked for what went missing. */
const MOST_NAMED = 10

/** `muslin backup FILE`: one archive of all that a data folder holds, while servers are at work on it. */
export function addBackup(program: Command, context: Context): void {
  const command = program.command('backup')
    .description('Write everything that the data folder holds into one archive, as it is at this moment; servers go on meanwhile. Secrets are in it: keep it as you keep the data folder. Settings are not.')
    .argument('<FILE>', 'The archive: a name that ends in .tar, or in .tar.zst for a compressed one. - is standard output, not compressed.')
    .option('--no-cache', 'Leave the upstream\'s files out: they are fetched again when they are asked for.')
  addDataFlags(command).action(async (file: string) => {
    const { cache, json = false } = command.opts<{ cache: boolean; json?: boolean }>()
    const compress = compressionOf(file)
    if (file === '-' && json) throw new MuslinError('bad-request', 'standard output is the archive, so --json has nowhere to go; name a file')
    const upkeep = await openUpkeep(command, context)
    const meter = createMeter(context)
    const options = { compress, cache, progress: meter.show }
    const report = await (file === '-' ? upkeep.backup({ ...options, out: context.bytes.output() }) : intoFile(resolve(context.cwd, file), upkeep, options)).finally(() => meter.clear())
    const say = file === '-' ? context.warn : context.print
    if (json) context.print(JSON.stringify(report, null, 2))
    else for (const line of linesOf(report, file)) say(line)
  })
}

function compressionOf(file: string): boolean {
  if (/\.(tar\.zst|tzst)$/.test(file)) return true
  if (file === '-' || file.endsWith('.tar')) return false
  throw new MuslinError('bad-request', `${file} tells no format; name it .tar.zst, .tar, or - for standard output`)
}

/** In its place only when it is whole, for its owner alone. */
async function intoFile(file: string, upkeep: Upkeep, options: Omit<Parameters<Upkeep['backup']>[0], 'out'>): Promise<BackupReport> {
  const partial = `${file}.partial`
  await rm(partial, { force: true })
  // It is there from now on: a stream that opens it by itself may do so after all has failed, and after it was taken away.
  const out = (await open(partial, 'wx', 0o600)).createWriteStream()
  try {
    const report = await upkeep.backup({ ...options, out })
    const written = await open(partial, 'r')
    try {
      await written.sync()
    } finally {
      await written.close()
    }
    await rename(partial, file)
    return report
  } catch (error) {
    out.destroy()
    await rm(partial, { force: true })
    throw error
  }
}

function linesOf({ blobs, bytes, logs, gone }: BackupReport, file: string): string[] {
  const named = gone.slice(0, MOST_NAMED).map((name) => `left out, since its bytes are not stored: ${name}`)
  return [
    ...named, ...gone.length > MOST_NAMED ? [`left out, since their bytes are not stored: ${gone.length - MOST_NAMED} more`] : [],
    `${file === '-' ? 'the backup' : file} holds the database, ${count(blobs, 'blob')} (${size(bytes)}) and ${count(logs, 'file of logs', 'files of logs')}`,
  ]
}
