import { Command } from 'commander'
import about from '../../package.json' with { type: 'json' }
import type { Context } from './context.ts'
import { addDockerArgs } from './docker-args.ts'
import { addServe } from './serve.ts'

/** The command line. It throws commander's errors instead of ending the process. */
export function createProgram(context: Context): Command {
  const program = new Command('muslin')
    .description(about.description)
    .version(about.version, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.print(text.trimEnd()), writeErr: (text) => context.warn(text.trimEnd()) })
  // Commands take over what stands above when they are added, not later.
  addServe(program, context)
  addDockerArgs(program, context)
  return program
}
