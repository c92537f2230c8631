/** Muslin in a process of its own, without a builder, over a given upstream. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { freePort } from '../e2e/ports.ts'
import { cleanEnvironment } from '../recording/recorder.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NODE = join(ROOT, 'node_modules/.bin/node')

export interface Served {
  /** Ends in `/`. */
  url: string
  output(): string
  /** Bytes in memory now, and the most since the last `resetPeak`. */
  memory(): Promise<{ now: number; peak: number }>
  resetPeak(): Promise<void>
  stop(): Promise<void>
}

export async function serveMuslin(upstream: string, ...flags: string[]): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'muslin-conformance-'))
  const port = await freePort()
  let output = ''
  const child = execa(NODE, [join(ROOT, 'src/main.ts'), 'serve', '--role', 'web', '--host', '127.0.0.1', '--port', String(port), '--data', join(folder, 'data'), '--upstream', upstream, ...flags], {
    env: cleanEnvironment(), extendEnv: false, reject: false, all: true, buffer: false, stdin: 'ignore', cwd: ROOT,
  })
  child.all.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const { pid } = child
  const ended = child.then(() => true)
  const url = `http://127.0.0.1:${port}/`
  for (;;) {
    if (await fetch(`${url}healthz`).then(({ ok }) => ok, () => false)) break
    if (await Promise.race([ended, new Promise((resolve) => { setTimeout(resolve, 100) })])) throw new Error(`the server ended before it answered:\n${output}`)
  }
  return {
    url,
    output: () => output,
    async memory() {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      const bytes = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
      return { now: bytes('VmRSS'), peak: bytes('VmHWM') }
    },
    resetPeak: () => writeFile(`/proc/${pid}/clear_refs`, '5'),
    async stop() {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
