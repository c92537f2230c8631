/** What every scenario needs: a Muslin of its own on a free port, clients in containers, and a look into the jobs table. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import { freePort } from './ports.ts'

export { freePort }

export type Check = (name: string, run: () => Promise<void>) => Promise<void>

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const NODE = join(ROOT, 'node_modules/.bin/node')
/** Images of `test/standin/images.sh`; acceptance on a real Alpine names its own. */
export const BUILDER = process.env['MUSLIN_TEST_BUILDER_IMAGE'] ?? 'muslin-standin-builder:latest'
export const CLEAN = process.env['MUSLIN_TEST_CLEAN_IMAGE'] ?? 'muslin-standin-clean:latest'
export const UV = process.env['MUSLIN_TEST_UV_IMAGE'] ?? 'muslin-standin-uv:latest'
export const TARGET = process.env['MUSLIN_TEST_TARGET'] ?? 'cp313-musllinux_1_2_x86_64'

/** A target with the images that it is built and tried in. */
export interface BuiltFor { name: string; builder: string; clean: string }
export const FIRST: BuiltFor = { name: TARGET, builder: BUILDER, clean: CLEAN }
export const SECOND: BuiltFor = {
  name: process.env['MUSLIN_TEST_SECOND_TARGET'] ?? 'cp311-musllinux_1_2_x86_64',
  builder: process.env['MUSLIN_TEST_SECOND_BUILDER_IMAGE'] ?? 'muslin-standin-builder-cp311:latest',
  clean: process.env['MUSLIN_TEST_SECOND_CLEAN_IMAGE'] ?? 'muslin-standin-clean-cp311:latest',
}
/** Every container that a test starts bears this label, so that its leftovers can be told from other runs'. */
export const LABEL = `muslin.test=${process.pid}`
export const HOST = 'host.docker.internal'

/** PATH and HOME alone: what else a machine sets for pip and the like would falsify the run. */
export function cleanEnv(more: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...more }
}

/** Makes the stand-in images where they are absent. */
export async function images(): Promise<void> {
  if (process.env['MUSLIN_TEST_BUILDER_IMAGE'] && process.env['MUSLIN_TEST_CLEAN_IMAGE']) return
  await execa('bash', [join(ROOT, 'test/standin/images.sh')], { env: cleanEnv(), extendEnv: false, stdio: ['ignore', 'inherit', 'inherit'] })
}

export interface JobRow { id: number; kind: string; project: string; version: string; target: string; state: string; step: string | null; attempts: number; worker: string | null; build: number | null; finished_at: number | null; started_at: number | null; failure: { class: string; key: string } | null }

/** A line of the server's log. `time` is ISO 8601; `hop`, `by` and `tool` are on holds, `method`, `status` and `ms` on requests, whose line is written at their end. */
export interface LogLine { msg: string; path: string; time: string; client: string; hop?: number; by?: string; tool?: string; ended?: string; method?: string; status?: number; ms?: number }

export interface Muslin {
  port: number
  data: string
  /** As the host reaches it. */
  url: string
  /** As containers reach it. */
  inside: string
  pid: number
  /** Both streams so far. */
  output(): string
  /** Lines of the server's log, one JSON object each, that tell this event. */
  events(event: 'request' | 'hold' | 'still held' | 'held'): LogLine[]
  jobs(): JobRow[]
  /** Resolves with the first value that is not undefined; polls, with a limit in seconds. */
  until<T>(what: string, look: () => T | undefined | Promise<T | undefined>, seconds?: number): Promise<T>
  stop(): Promise<number | undefined>
  kill(signal: NodeJS.Signals): Promise<void>
}

export class Lab {
  readonly name: string
  readonly #closers: (() => Promise<void>)[] = []
  readonly #gone: string[] = []
  readonly #left: string[] = []
  #runs = 0
  readonly #instances: { data: string; pid: number }[] = []

  constructor(name: string) { this.name = name }

  onClose(close: () => Promise<void>): void { this.#closers.push(close) }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), `muslin-${this.name}-`))
    this.onClose(() => rm(folder, { recursive: true, force: true }))
    return folder
  }

  /** A real server in a process of its own, ready to answer. `main` replaces the program's entry for instrumented ones. */
  async muslin(options: { upstream?: string; data?: string; port?: number; args?: string[]; env?: Record<string, string>; main?: string; targets?: BuiltFor[] } = {}): Promise<Muslin> {
    const data = options.data ?? join(await this.folder(), 'data')
    const port = options.port ?? await freePort()
    const targets = options.targets ?? [FIRST]
    const args = ['serve', '--port', String(port), '--host', '0.0.0.0', '--data', data, '--targets', targets.map(({ name }) => name).join(','),
      ...targets.flatMap(({ name, builder, clean }) => ['--builder-image', `${name}=${builder}`, '--clean-image', `${name}=${clean}`]),
      ...(options.upstream ? ['--upstream', options.upstream] : []), ...(options.args ?? [])]
    let output = ''
    const child = execa(NODE, [options.main ?? join(ROOT, 'src/main.ts'), ...args], {
      env: cleanEnv(options.env), extendEnv: false, reject: false, all: true, buffer: false, stdin: 'ignore', cwd: ROOT,
    })
    child.all?.on('data', (chunk: Buffer) => { output += chunk.toString() })
    const ended = child.then((result) => result.exitCode)
    const pid = child.pid ?? 0
    this.#instances.push({ data, pid })
    this.onClose(async () => {
      child.kill('SIGKILL')
      await ended
    })
    const muslin: Muslin = {
      port, data, pid, url: `http://127.0.0.1:${port}`, inside: `http://${HOST}:${port}`,
      output: () => output,
      events: (event) => output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine).filter((line) => line.msg === event),
      jobs: () => {
        const database = new Database(join(data, 'muslin.db'), { readonly: true })
        try { 
          const rows = database.prepare('SELECT * FROM jobs ORDER BY id').all() as (Omit<JobRow, 'failure'> & { failure: string | null })[]
          return rows.map((row) => ({ ...row, failure: row.failure === null ? null : (JSON.parse(row.failure) as JobRow['failure']) }))
        } finally { database.close() }
      },
      until: (what, look, seconds = 120) => until(`${what}; the server said:\n${output.slice(-3000)}`, look, seconds),
      stop: async () => { child.kill('SIGTERM'); return await ended },
      kill: async (signal) => { child.kill(signal); await ended },
    }
    await Promise.race([
      until('the server is ready', () => (/listening on |working on /.test(output) ? true : undefined), 60),
      ended.then((code) => { throw new Error(`the server ended with ${code} before it listened:\n${output}`) }),
    ])
    return muslin
  }

  /** A web process and a worker process on one data folder: the worker can be stopped while clients gather. */
  async pair(upstream: string, args: string[] = []): Promise<{ web: Muslin; worker: Muslin }> {
    const data = join(await this.folder(), 'data')
    const web = await this.muslin({ upstream, data, args: ['--role', 'web', ...args] })
    const worker = await this.muslin({ upstream, data, args: ['--role', 'worker', ...args] })
    await web.until('the worker has told its targets', async () => ((await (await fetch(`${web.url}/readyz`)).text()).includes('wheels are built for') ? true : undefined))
    return { web, worker }
  }

  /** Runs a command in a fresh container, which is ended after `seconds`; never throws. `pip`'s cache is empty in each. */
  async run(image: string, command: string[], options: { env?: Record<string, string>; args?: string[]; seconds?: number; input?: string } = {}): Promise<{ code: number; output: string; seconds: number }> {
    const start = Date.now()
    const name = `muslin-${this.name}-${process.pid}-${start}-${++this.#runs}`
    const most = options.seconds ?? 300
    const env = Object.entries(options.env ?? {}).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    const result = await execa('docker', ['run', '--rm', ...(options.input === undefined ? [] : ['-i']), '--name', name, '--label', LABEL, '--add-host', `${HOST}:host-gateway`, ...env, ...(options.args ?? []), image, ...command], {
      env: cleanEnv(), extendEnv: false, reject: false, all: true, timeout: most * 1000,
      ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    })
    // Its client has ended; the container has not, unless it heeds signals.
    if (result.timedOut) await execa('docker', ['rm', '-f', name], { env: cleanEnv(), extendEnv: false, reject: false })
    const output = `${result.all ?? ''}${result.timedOut ? `\n(ended by the test after ${most} s)` : ''}`
    return { code: result.exitCode ?? -1, output, seconds: (Date.now() - start) / 1000 }
  }

  /** pip's options that point it at an index of this server, as a Dockerfile's two build arguments would. */
  index(muslin: Muslin, view = '/simple/'): Record<string, string> {
    return { PIP_INDEX_URL: `${muslin.inside}${view}`, PIP_TRUSTED_HOST: HOST, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_CACHE_DIR: '1', PIP_ROOT_USER_ACTION: 'ignore' }
  }

  async close(): Promise<void> {
    const instances = await Promise.all(this.#instances.map(({ data }) => readFile(join(data, 'server.json'), 'utf8').then((text) => (JSON.parse(text) as { instance: string }).instance, () => undefined)))
    for (const close of this.#closers.splice(0).reverse()) await close().catch((error: unknown) => console.log(`  closing: ${String(error)}`))
    await this.#removeLeft()
    // A server leaves its fetch network and the images that it derived to the next start on its data folder; these folders are gone.
    for (const instance of new Set(instances)) {
      if (instance === undefined) continue
      const networks = (await docker(['network', 'ls', '-q', '--filter', `label=muslin.instance=${instance}`])).split('\n').filter(Boolean)
      if (networks.length > 0) await docker(['network', 'rm', ...networks])
      const derived = (await docker(['image', 'ls', '-q', '--filter', `label=muslin.instance=${instance}`])).split('\n').filter(Boolean)
      if (derived.length > 0) await docker(['image', 'rm', '--force', ...new Set(derived)])
      this.#gone.push(instance)
    }
  }

  /** What closing did not end is a mistake of the test, but must not be in the way of the next one. */
  async #removeLeft(): Promise<void> {
    // One that is being removed is listed for a moment more.
    await until('no container bears the label', async () => (await labelled('container')).length === 0 || undefined, 5).catch(() => undefined)
    for (const kind of ['container', 'image'] as const) {
      // Where no engine is nothing is left by one, and first looks are taken there.
      const left = await labelled(kind).catch(() => [])
      if (left.length === 0) continue
      console.log(`  closing: removes what was left of the ${kind}s: ${left.map(({ what }) => what).join('; ')}`)
      this.#left.push(...left.map(({ what }) => `${kind} ${what}`))
      await execa('docker', [kind, 'rm', '-f', ...new Set(left.map(({ id }) => id))], { env: cleanEnv(), extendEnv: false, reject: false })
    }
  }

  /** After `close`: it must have found nothing to remove. The servers are gone, so their containers and networks must be, or be swept by the next start. */
  async assertNothingLeft(): Promise<void> {
    if (this.#left.length > 0) throw new Error(`left by the test: ${this.#left.join('; ')}`)
    for (const kind of ['container', 'image'] as const) {
      const left = await labelled(kind)
      if (left.length > 0) throw new Error(`cannot be removed: ${left.map(({ what }) => `${kind} ${what}`).join('; ')}`)
    }
    for (const instance of this.#gone) {
      const runs = await docker(['ps', '-aq', '--filter', `label=muslin.instance=${instance}`])
      if (runs !== '') throw new Error(`the server left its containers: ${runs}`)
    }
    for (const { pid } of this.#instances) {
      if (await readFile(`/proc/${pid}/cmdline`, 'utf8').then((line) => line.includes('main.ts'), () => false)) throw new Error(`server ${pid} still runs`)
    }
  }
}

/** Containers, ended ones too, or images that bear this run's label: images inherit it from the one that they are made from. */
async function labelled(kind: 'container' | 'image'): Promise<{ id: string; what: string }[]> {
  const format = kind === 'container' ? '{{.ID}} {{.Names}} of {{.Image}}, {{.Status}}' : '{{.ID}} {{.Repository}}:{{.Tag}}'
  const lines = await docker([kind, 'ls', ...(kind === 'container' ? ['-a'] : []), '--filter', `label=${LABEL}`, '--format', format])
  return lines.split('\n').filter(Boolean).map((what) => ({ id: what.split(' ')[0]!, what }))
}

/** This machine's address on the engine's default bridge, as containers see it. Node names no interface without a carrier, which the bridge is while no container runs. */
export async function bridgeAddress(): Promise<string> {
  const { stdout } = await execa('ip', ['-o', '-4', 'address', 'show', 'docker0'], { env: cleanEnv(), extendEnv: false, reject: false })
  const address = /inet ([\d.]+)/.exec(stdout)?.[1]
  if (!address) throw new Error('the engine has no bridge docker0 on this machine')
  return address
}

/** Polls four times a second. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>, seconds = 120): Promise<T> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const value = await look()
    if (value !== undefined) return value
    if (Date.now() > deadline) throw new Error(`after ${seconds} s still not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** Runs the docker client; throws with its output when it fails. */
export async function docker(args: string[]): Promise<string> {
  const { stdout } = await execa('docker', args, { env: cleanEnv(), extendEnv: false })
  return stdout
}
