import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Context } from './context.ts'
import { addDataFlags, openUpkeep } from './data-flags.ts'
import { count, size } from './format.ts'
import { createMeter } from './meter.ts'

/** `muslin restore FILE`: an archive of `muslin backup` becomes a data folder. */
export function addRestore(program: Command, context: Context): void {
  const command = program.command('restore')
    .description('Make a data folder of what muslin backup wrote. Every byte is checked before anything is put in its place. No server may be at work on the folder: stop it, or restore into another one by --data.')
    .argument('<FILE>', 'The archive, compressed or not; - is standard input.')
    .option('--force', 'Also where something lies in the data folder: it is moved beside it.')
  addDataFlags(command).action(async (file: string) => {
    const { force = false, json = false } = command.opts<{ force?: boolean; json?: boolean }>()
    const upkeep = await openUpkeep(command, context)
    const meter = createMeter(context)
    const report = await upkeep.restore({ source: file === '-' ? context.bytes.input() : resolve(context.cwd, file), force, progress: meter.show }).finally(() => meter.clear())
    const { madeAt, blobs, bytes, logs, gone, withCache, moved } = report
    if (json) return context.print(JSON.stringify({ ...report, moved: moved ?? null }, null, 2))
    if (moved !== undefined) context.print(`what lay there before is in ${moved}`)
    if (gone.length > 0) context.print(`of what it refers to ${count(gone.length, 'blob')} could not be had when the backup was made; muslin fsck --repair mends what needs it`)
    context.print(`restored as of ${madeAt}: ${count(blobs, 'blob')} (${size(bytes)}), ${count(logs, 'file of logs', 'files of logs')}${withCache ? '' : '; files of the upstream are fetched again when they are asked for'}`)
  })
}
