import type { Command } from 'commander'
import { DAMAGE, type Damage } from '../services/damage.ts'
import type { Context } from './context.ts'
import { addDataFlags, openUpkeep } from './data-flags.ts'
import { Ending, EXIT } from './ending.ts'
import { count, size } from './format.ts'
import { createMeter } from './meter.ts'
import { painter } from './styles.ts'

/** `muslin fsck`: looks through a data folder, and with `--repair` mends it. */
export function addFsck(program: Command, context: Context): void {
  const command = program.command('fsck')
    .description('Check the data folder: the database, every stored byte against its digest, and every reference. A server may be at work on it. Ends with 2 where damage is left.')
    .option('--repair', 'Mend what is found: what can be fetched or built again is, and what is damaged is served no more.')
  addDataFlags(command).action(async () => {
    const { repair = false, json = false } = command.opts<{ repair?: boolean; json?: boolean }>()
    const meter = createMeter(context)
    const damages: Damage[] = []
    const paint = painter(context)
    const upkeep = await openUpkeep(command, context)
    const report = await upkeep.fsck({
      repair,
      progress: (done, total) => meter.show(done, total),
      damage(damage) {
        damages.push(damage)
        meter.clear()
        if (!json) context.print(`${paint(damage.repaired ? 'good' : 'bad', damage.repaired ? 'repaired' : 'damage')}  ${lineOf(damage)}`)
      },
    }).finally(() => meter.clear())
    const { blobs, bytes, found, left } = report
    if (json) context.print(JSON.stringify({ ...report, damages }, null, 2))
    else context.print(`${count(blobs, 'blob')} (${size(bytes)}) looked at: ${found === 0 ? 'all is right' : left === 0 ? `${found} found, all repaired` : `${left} left${repair ? '' : '; muslin fsck --repair mends what can be'}`}`)
    if (left > 0) throw new Ending(EXIT.failed)
  })
}

function lineOf({ kind, name, repaired, detail }: Damage): string {
  const { is, repair } = DAMAGE[kind]
  const done = repaired ? `: ${repair}` : repair === undefined ? ': restore the data folder from a backup' : ''
  return `${kind}  ${name}: ${is}${detail === undefined ? '' : ` (${detail})`}${done}`
}
