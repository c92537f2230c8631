import { pino } from 'pino'
import type { Context } from '../../src/cli/context.ts'
import { MuslinError } from '../../src/errors.ts'

/** A context whose output is kept; commands that need a server must bring their own `compose`. */
export function testContext(parts: Partial<Context> = {}): Context & { printed: string[]; warned: string[] } {
  const printed: string[] = []
  const warned: string[] = []
  return {
    env: {}, cwd: '/nonexistent', read: async () => new Uint8Array(), print: (line) => printed.push(line), warn: (line) => warned.push(line),
    draw: () => undefined, terminal: { output: false, error: false, columns: () => 80 },
    createLog: () => pino({ level: 'silent' }), clock: { now: () => 0, sleep: async () => undefined },
    compose: async () => { throw new MuslinError('internal', 'this test composes nothing') },
    doctor: async () => { throw new MuslinError('internal', 'this test has no doctor') },
    upkeep: async () => { throw new MuslinError('internal', 'this test has no data folder') },
    bytes: { output: () => { throw new MuslinError('internal', 'this test has no output') }, input: () => { throw new MuslinError('internal', 'this test has no input') } },
    onSignal: () => () => undefined, exit: () => undefined, ...parts, printed, warned,
  }
}
