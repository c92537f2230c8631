import type { Command } from 'commander'
import type { TargetView } from '../services/views.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { table } from './format.ts'
import { type Paint, painter } from './styles.ts'

/** `muslin targets`: what wheels are made for, and what can be built now. */
export function addTargets(program: Command, context: Context): void {
  const command = program.command('targets').description('List the targets, and whether a worker can build for each now.')
  addServerFlags(command).action(() => withServer(command, context, async (api) => {
    const targets = await api.targets()
    if (command.opts<{ json?: boolean }>().json) context.print(JSON.stringify({ targets }, null, 2))
    else for (const line of targetTable(targets, painter(context))) context.print(line)
  }))
}

function targetTable(targets: TargetView[], paint: Paint): string[] {
  if (targets.length === 0) return ['no targets']
  const head = ['target', 'python', 'cpu', 'state', 'image'].map((title) => paint('dim', title))
  return table([head, ...targets.map(({ name, python, cpu, ready, configured, image }) => [
    name, python, cpu, (ready ? paint('good', 'ready') : paint('busy', 'no worker')) + (configured ? '' : ', not configured'), shortDigest(image),
  ])])
}

function shortDigest(digest: string | null): string {
  return digest === null ? '' : digest.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]+$/, '$2')
}
