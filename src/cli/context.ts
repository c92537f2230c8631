import type { Readable, Writable } from 'node:stream'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import type { Clock } from '../services/ports.ts'
import type { Upkeep } from '../services/upkeep.ts'

/** A server, put together but not started. */
export interface Service {
  /** Resolves once it is ready. `lines` tell the person who started it what it found; a worker listens at no URL. */
  start(): Promise<{ url: string | undefined; lines: string[] }>
  /** Takes no new work, lets held requests end, gives running builds back. */
  stop(): Promise<void>
}

/** One thing that the doctor looked at. */
export interface Check {
  state: 'ok' | 'warn' | 'fail'
  /** What was looked at, in a word or two: `disk`. */
  name: string
  /** What was found, one line. */
  found: string
  /** What helps, one line; undefined where nothing needs help. */
  remedy: string | undefined
}

/** What commands need from the world. */
export interface Context {
  env: Record<string, string | undefined>
  cwd: string
  /** All of standard input. */
  read: () => Promise<Uint8Array>
  /** One line on standard output: what the command was run for. */
  print: (line: string) => void
  /** One line on standard error. */
  warn: (line: string) => void
  /** Text on standard error as it is, for what is drawn over: only where that is a terminal. */
  draw: (text: string) => void
  /** Whether each stream is a terminal, and how wide that is. */
  terminal: { output: boolean; error: boolean; columns: () => number }
  createLog: (level: string) => Logger
  compose: (settings: Settings, parts: { log: Logger; clock: Clock }) => Promise<Service>
  /** Looks at everything that a server with these settings needs. Never throws: what goes wrong is a check that fails. */
  doctor: (settings: Settings, parts: { log: Logger; clock: Clock }) => Promise<Check[]>
  /** What is done to the data folder of these settings itself. */
  upkeep: (settings: Settings, parts: { log: Logger; clock: Clock; cwd: string }) => Promise<Upkeep>
  /** Standard output for bytes, and input as they come. */
  bytes: { output: () => Writable; input: () => Readable }
  clock: Clock
  /** Calls back at each SIGTERM and SIGINT; returns how to stop listening. */
  onSignal: (heard: (signal: string) => void) => () => void
  /** Ends the process where it stands. */
  exit: (code: number) => void
}
