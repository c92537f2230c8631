import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import type { Clock } from '../services/ports.ts'

/** A server, put together but not started. */
export interface Service {
  /** Resolves once it is ready. `lines` tell the person who started it what it found; a worker listens at no URL. */
  start(): Promise<{ url: string | undefined; lines: string[] }>
  /** Takes no new work, lets held requests end, gives running builds back. */
  stop(): Promise<void>
}

/** What commands need from the world. */
export interface Context {
  env: Record<string, string | undefined>
  cwd: string
  /** One line on standard output: what the command was run for. */
  print: (line: string) => void
  /** One line on standard error. */
  warn: (line: string) => void
  createLog: (level: string) => Logger
  compose: (settings: Settings, parts: { log: Logger; clock: Clock }) => Promise<Service>
  clock: Clock
  /** Calls back at each SIGTERM and SIGINT; returns how to stop listening. */
  onSignal: (heard: (signal: string) => void) => () => void
  /** Ends the process where it stands. */
  exit: (code: number) => void
}
