import { buffer } from 'node:stream/consumers'
import { CommanderError } from 'commander'
import type { Context } from './cli/context.ts'
import { Ending, EXIT } from './cli/ending.ts'
import { type ErrorDocument, errorDocument, interruptedDocument, usageDocument } from './cli/error-document.ts'
import { createProgram } from './cli/program.ts'
import { systemClock } from './clock.ts'
import type { compose } from './compose.ts'
import type { ErrorCode } from './errors.ts'
import { MuslinError } from './errors.ts'
import { createLog, redact } from './log.ts'

/** What is wrong with the words of a command line, or with what they name. */
const USAGE: readonly ErrorCode[] = [
  'bad-settings', 'no-upstream', 'data-folder', 'port-in-use', 'bad-request', 'bad-lock', 'bad-backup', 'bad-recipe', 'bad-name', 'too-large', 'unknown-target', 'no-such-project',
  'no-such-release', 'no-such-job', 'no-such-build', 'no-such-prebuild', 'no-such-recipe', 'token-needed', 'not-possible-now',
]

/** What was asked for cannot be had, whatever the words are. */
const FAILED: readonly ErrorCode[] = ['not-built-here']

/** More for `compose` than its log and its clock: tests put instrumented parts in by it. */
type Instruments = Omit<Parameters<typeof compose>[1], 'log' | 'clock'>

/** Runs the words of a command line to their end, and ends the process with its exit code. */
export async function main(words: string[], instruments: Instruments = {}): Promise<never> {
  process.exit(await run(words, realContext(instruments)))
}

/** The one gate of the command line: every error becomes a line for a person and an exit code, and with `--json` the document on standard output. */
export async function run(words: string[], context: Context): Promise<number> {
  let printed = false
  const print = (line: string): void => {
    printed = true
    context.print(line)
  }
  try {
    await createProgram({ ...context, print }).parseAsync(words, { from: 'user' })
    return EXIT.done
  } catch (thrown) {
    const { line, exit, document } = told(thrown)
    if (line !== undefined) context.warn(redact(`muslin: ${line}`))
    if (line !== undefined && wantsDetails(words, context.env)) context.warn(redact(String(thrown instanceof Error ? thrown.stack : thrown)))
    // What a command has printed by then is its document.
    if (document && !printed && words.includes('--json')) context.print(JSON.stringify({ error: document }, null, 2))
    return exit
  }
}

/** What is still to be said of what was thrown, to people and to programs. */
function told(thrown: unknown): { line?: string; exit: number; document?: ErrorDocument } {
  // Commander has printed its own: help, version, or what is wrong with the words.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? { exit: EXIT.done } : { exit: EXIT.usage, document: usageDocument(thrown.message) }
  if (thrown instanceof Ending) return { exit: thrown.exitCode, ...thrown.exitCode === EXIT.interrupted && { document: interruptedDocument() } }
  if (thrown instanceof MuslinError) return { line: thrown.message, exit: exitOf(thrown.code), document: errorDocument(thrown) }
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  const defect = new MuslinError('internal', `${reason}; run it again with MUSLIN_LOGLEVEL=debug to see where`)
  return { line: defect.message, exit: EXIT.internal, document: errorDocument(defect) }
}

function exitOf(code: ErrorCode): number {
  if (USAGE.includes(code)) return EXIT.usage
  return FAILED.includes(code) ? EXIT.failed : EXIT.internal
}

/** Whether stacks are wanted. The settings may be what is wrong, so it looks at the words themselves. */
function wantsDetails(words: string[], env: Context['env']): boolean {
  return /\b(debug|trace)$/.test(env['MUSLIN_LOGLEVEL'] ?? '') || /--log-level[= ](debug|trace)/.test(words.join(' '))
}

function realContext(instruments: Instruments): Context {
  // Whoever reads what is printed may have read enough (`muslin job 7 --follow | head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(EXIT.done); else throw error })
  return {
    env: process.env,
    cwd: process.cwd(),
    read: () => buffer(process.stdin),
    print: (line) => process.stdout.write(`${line}\n`),
    warn: (line) => process.stderr.write(`${line}\n`),
    draw: (shown) => process.stderr.write(shown),
    terminal: { output: process.stdout.isTTY, error: process.stderr.isTTY, columns: () => process.stderr.columns || 80 },
    createLog,
    clock: systemClock,
    // Loaded when it is needed: the other commands start faster without a server's parts.
    compose: async (settings, parts) => (await import('./compose.ts')).compose(settings, { ...parts, ...instruments }),
    doctor: async (settings, parts) => (await import('./doctor.ts')).doctor(settings, parts),
    upkeep: async (settings, parts) => (await import('./compose.ts')).createUpkeep(settings, parts),
    bytes: { output: () => process.stdout, input: () => process.stdin },
    onSignal(heard) {
      const signals = ['SIGTERM', 'SIGINT'] as const
      for (const signal of signals) process.on(signal, heard)
      return () => { for (const signal of signals) process.off(signal, heard) }
    },
    exit: (code) => process.exit(code),
  }
}

if (import.meta.main) await main(process.argv.slice(2))
