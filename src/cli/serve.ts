import type { Command } from 'commander'
import { loadSettings } from '../config/load.ts'
import { OPTION_NAMES } from '../config/options.ts'
import type { Context } from './context.ts'
import { addSettingsFlags, givenFlags } from './settings-flags.ts'

/** After this many milliseconds whatever came at once is answered, and what starting took is garbage. */
const SETTLED_MS = 1_000

/** `muslin serve`: runs until SIGTERM or SIGINT, then drains; a second signal ends it at once. */
export function addServe(program: Command, context: Context): void {
  const command = program.command('serve').description('Serve the index, and build what is asked for.')
  addSettingsFlags(command, OPTION_NAMES)
  command.action(() => serve(givenFlags(command, OPTION_NAMES), context))
}

async function serve(flags: Record<string, unknown>, context: Context): Promise<void> {
  const { env, cwd, print, clock } = context
  const settings = loadSettings({ flags, env, cwd })
  const log = context.createLog(settings.logLevel)
  // From here on, so that a signal in the middle of the start ends it in order.
  const signals = listen(context)
  try {
    const service = await context.compose(settings, { log, clock })
    const { url, lines } = await service.start()
    for (const line of lines) print(line)
    if (url !== undefined) print(`listening on ${url}`)
    void tidyUp(clock)
    log.info({ signal: await signals.first }, 'draining')
    await service.stop()
  } finally {
    signals.close()
  }
}

/** Gives back what starting took: V8 by itself would keep some 20 MB of it until much later. Only where Node was started with `--expose-gc`. */
async function tidyUp(clock: Context['clock']): Promise<void> {
  if (!globalThis.gc) return
  await clock.sleep(SETTLED_MS)
  await globalThis.gc({ type: 'major', flavor: 'last-resort', execution: 'async' })
}

function listen({ onSignal, exit }: Context): { first: Promise<string>; close: () => void } {
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = 0
  const close = onSignal((signal) => {
    if (++heard > 1) return exit(1)
    resolve(signal)
  })
  return { first: promise, close }
}
