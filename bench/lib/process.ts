import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { connect } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The server has the first core for itself; upstream, clients and this program share the second, where there is one. */
export const SERVER_CORE = 0
export const CLIENT_CORE = Math.min(1, cpus().length - 1)

export interface Started {
  pid: number
  /** What it wrote, to tell why it did not come up. */
  log: string
  child: ChildProcess
  /** Ends it and all its children; resolves when it is gone. */
  stop(): Promise<void>
}

export interface StartOptions {
  core?: number
  folder: string
  env?: Record<string, string>
  /** Messages to and from a Node process of our own. */
  ipc?: boolean
}

const running = new Set<Started>()

/** Starts a program on one core, in a process group of its own and in an environment with nothing of the machine's settings for clients. */
export function start(command: string, words: string[], { core = SERVER_CORE, folder, env = {}, ipc = false }: StartOptions): Started {
  const log = join(folder, `${command.split('/').at(-1)}-${Date.now()}.log`)
  const output = createWriteStream(log)
  const child = spawn('taskset', ['-c', String(core), command, ...words], {
    cwd: folder, env: cleanEnv(env), detached: true, stdio: ['ignore', 'pipe', 'pipe', ...ipc ? ['ipc' as const] : []],
  })
  child.stdout?.pipe(output, { end: false })
  child.stderr?.pipe(output, { end: false })
  child.on('error', () => {})
  const started: Started = {
    pid: child.pid ?? 0, log, child,
    async stop() {
      running.delete(started)
      await end(child)
    },
  }
  running.add(started)
  return started
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop()))
}

/** PATH and HOME alone, and what a program is told by us. */
export function cleanEnv(more: Record<string, string> = {}): Record<string, string> {
  return { PATH: `${process.env['PATH']}:/usr/sbin`, HOME: process.env['HOME'] ?? '/', ...more }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = once(child, 'exit')
  signal(child.pid, 'SIGTERM')
  const patience = setTimeout(() => signal(child.pid!, 'SIGKILL'), 10_000)
  await gone
  clearTimeout(patience)
  // Workers of a leader that was gone first.
  signal(child.pid, 'SIGKILL')
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name)
  } catch {
    // It is gone already.
  }
}

/** Waits until `probe` is true, or fails with what the program wrote. */
export async function until(what: string, probe: () => Promise<boolean>, seconds: number, started?: Started): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    if (await probe()) return
    const ended = started && (started.child.exitCode !== null || started.child.signalCode !== null)
    if (ended || performance.now() > deadline) {
      throw new Error(`${what}: ${ended ? `it ended with ${started.child.exitCode ?? started.child.signalCode}` : `not within ${seconds} s`}${started ? `; see ${started.log}` : ''}`)
    }
    await sleep(5)
  }
}

export async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Runs a program to its end on the clients' core; its output, or an error with it. */
export async function run(command: string, words: string[], options: { core?: number; env?: Record<string, string>; cwd?: string } = {}): Promise<string> {
  const child = spawn('taskset', ['-c', String(options.core ?? CLIENT_CORE), command, ...words], { env: cleanEnv(options.env), cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => texts.push(chunk))
  const [code] = await once(child, 'close') as [number | null]
  const text = Buffer.concat(texts).toString()
  if (code !== 0) throw new Error(`${command} ${words.slice(0, 3).join(' ')} ended with ${code}:\n${text.slice(-2000)}`)
  return text
}
