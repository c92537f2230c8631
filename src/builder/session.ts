/** One run of a job: its steps, its deadline, its log, its record, and the containers that must be gone when it ends. */
import { addAbortSignal, type Readable } from 'node:stream'
import type { Failure } from '../domain/failure.ts'
import type { Step } from '../domain/job.ts'
import type { BuildRecord, BuildWork, Clock, Engine, Run, RunSpec, Usage } from '../services/ports.ts'
import { packTar, type TarEntry } from '../services/tar.ts'
import { createDeadline } from './deadline.ts'
import { Failed } from './failed.ts'
import { createExcerpt } from './excerpt.ts'
import { whyFailed } from './why.ts'

/** Cores, bytes, bytes, seconds. */
export interface Limits { cpu: number; memory: number; disk: number; time: number }

/** The folder in a run where everything of ours lies, inside its one writable place. */
export const PLACE = '/tmp/muslin'
/** Enough for a parallel build of anything known; a fork bomb ends here. */
export const PROCESSES = 512
/** Wheels lie in memory while they are fetched: these are enough for any but the very largest. */
const FETCH_BYTES = 1 << 30

interface RunIn { image: string; network: RunSpec['network'] }

export interface Session {
  readonly work: BuildWork
  readonly limits: Limits
  readonly record: BuildRecord
  /** Aborts with the reason to stop. */
  readonly signal: AbortSignal
  step(step: Step): Promise<void>
  /** From now on `limits.time` may pass until the returned function is called; then the session is stopped by this failure. */
  startDeadline(late: Failure): () => void
  /** From now on `limits.time` is counted: what is fetched has as much for itself, and ends the job as the surroundings' fault. */
  countTime(): void
  /** For what is fetched, or waited for, without a run of its own on the fetch network: its time is not the project's. */
  fetching<T>(use: () => Promise<T>): Promise<T>
  /** The result of `promise`, or the reason to stop, whichever comes first. */
  guard<T>(promise: Promise<T>): Promise<T>
  /**
   * A run for the time of `use`, which begins while the run is still made: what it asks of the box waits for that. The run is removed
   * whatever happens, at the latest when the session ends.
   */
  within<T>(spec: RunIn, use: (box: Box) => Promise<T>): Promise<T>
  /** Begins to make the run, without network, that the next `within` of this image uses: nothing happens in it until then. */
  ahead(spec: Pick<RunIn, 'image'>): void
  say(line: string): void
  /** What still runs is stopped, and gone. Figures are final, the deadline's clock is off. */
  end(): Promise<BuildRecord>
}

/** A run as the steps see it. Every method throws the session's reason to stop. */
export interface Box {
  /** Files below `PLACE`. */
  put(files: TarEntry[]): Promise<void>
  /** Its output is logged; `text` is that output, its middle left out where it is very long. */
  exec(command: string[], options?: { env?: Record<string, string>; cwd?: string }): Promise<{ exitCode: number; text: string }>
  /** As `exec`, and throws Failed, classified by its output, when the exit code is not 0. */
  must(command: string[], options?: { env?: Record<string, string>; cwd?: string }): Promise<{ text: string }>
  /** Entries below `PLACE` as a tar stream. */
  get(names: string[], maxBytes: number): Promise<Readable>
  /** What a failed command means for the step that its run is for: the run's own state first, then its words. */
  why(text: string): Promise<Failure>
}

export function createSession(deps: { engine: Engine; clock: Clock; work: BuildWork }): Session {
  const { engine, clock, work } = deps
  const limits = { ...work.limits, ...work.recipe.limits }
  const ended = new AbortController()
  const deadline = createDeadline({ clock, seconds: limits.time, ended: ended.signal })
  const signal = AbortSignal.any([work.signal, deadline.signal, ended.signal])
  const open = new Set<Run>()
  const using: Promise<unknown>[] = []
  const removals: Promise<void>[] = []
  /** Runs that wait for their use, by image. */
  const early = new Map<string, Promise<Run>>()
  const steps: { step: Step; seconds: number; peakBytes?: number }[] = []
  const record: BuildRecord = { limits: { ...limits, processes: PROCESSES }, steps }
  const peaks = new Map<Step, number>()
  let current: { step: Step; since: number } | undefined

  const session: Session = {
    work, limits, record, signal, guard,
    startDeadline: deadline.start, countTime: deadline.count, fetching: deadline.fetching,
    async step(step) {
      signal.throwIfAborted()
      await closeStep()
      current = { step, since: clock.now() }
      await work.onStep(step)
    },
    within(spec, use) {
      const made = spec.network === 'none' ? early.get(spec.image) : undefined
      if (made) early.delete(spec.image)
      const running = () => withRun(made ? onceFreed(made) : create(spec), spec.network, use)
      const result = spec.network === 'fetch' ? deadline.fetching(running) : running()
      using.push(result)
      return result
    },
    ahead({ image }) {
      if (early.has(image)) return
      // As long as nothing runs in it, it needs next to no memory.
      const made = start({ image, network: 'none' })
      made.catch(() => undefined)
      early.set(image, made)
    },
    say: (line) => work.log.write(`Muslin: ${line}\n`),
    async end() {
      ended.abort(new Error('the job has ended'))
      for (const made of early.values()) giveUp(made)
      // Each of the first may add its removal.
      await Promise.allSettled(using)
      await Promise.all(removals)
      await closeStep()
      return record
    },
  }
  return session

  async function withRun<T>(creating: Promise<Run>, network: RunSpec['network'], use: (box: Box) => Promise<T>): Promise<T> {
    creating.then((run) => open.add(run), () => undefined)
    try {
      return await use(box(creating, network))
    } finally {
      const run = await creating.catch(() => undefined)
      if (run) {
        await notePeak(run)
        open.delete(run)
        // Only the next run that gets all of the memory waits for it.
        removals.push(run.remove())
      }
    }
  }

  async function create(spec: RunIn): Promise<Run> {
    await freed(spec)
    return start(spec)
  }

  async function onceFreed(made: Promise<Run>): Promise<Run> {
    await freed({ network: 'none' }).catch((error: unknown) => {
      giveUp(made)
      throw error
    })
    return made
  }

  function giveUp(made: Promise<Run>): void {
    removals.push(made.then((run) => run.remove(), () => undefined))
  }

  /** One run at a time gets all of the memory that a build may use; what fetches beside it has its own, smaller share. */
  async function freed({ network }: Pick<RunIn, 'network'>): Promise<void> {
    if (network !== 'fetch' && removals.length > 0) await guard(Promise.all(removals))
  }

  async function start(spec: RunIn): Promise<Run> {
    signal.throwIfAborted()
    const creating = engine.create({
      image: spec.image,
      label: `job ${work.job.id}, ${current?.step ?? 'start'}`,
      user: '1000:1000',
      network: spec.network,
      limits: { cpu: limits.cpu, memoryBytes: memoryOf(spec.network), diskBytes: limits.disk, processes: PROCESSES },
      writable: ['/tmp'],
    })
    try {
      return await guard(creating)
    } catch (error) {
      // It may still come into being after we stopped waiting for it.
      await creating.then((run) => run.remove(), () => undefined)
      throw error
    }
  }

  function box(creating: Promise<Run>, network: RunSpec['network']): Box {
    const exec: Box['exec'] = async (command, options = {}) => {
      signal.throwIfAborted()
      const run = await creating
      const excerpt = createExcerpt()
      const { exitCode } = await run.exec(command, {
        env: options.env ?? {},
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        output: (chunk) => { work.log.write(chunk); excerpt.add(chunk) },
        signal,
      })
      signal.throwIfAborted()
      return { exitCode, text: excerpt.text() }
    }
    const why: Box['why'] = async (text) => {
      return whyFailed(await usage(await creating), text, { step: stepOf(network), memory: memoryOf(network), disk: limits.disk, processes: PROCESSES })
    }
    return {
      exec, why,
      async put(files) {
        const run = await creating
        await guard(run.put('/tmp', packTar(files.map((file) => ({ ...file, name: `muslin/${file.name}` })))))
      },
      async must(command, options) {
        const { exitCode, text } = await exec(command, options)
        if (exitCode !== 0) throw new Failed(await guard(why(text)))
        return { text }
      },
      // What runs beside may stop the tar: the stream ends with the session.
      get: async (names, maxBytes) => addAbortSignal(signal, await guard((await creating).get(PLACE, names, maxBytes))),
    }
  }

  /** What fetches gets a quarter of what compiles, so that raising `limits.memory` helps it too. */
  function memoryOf(network: RunSpec['network']): number {
    return network === 'fetch' ? Math.min(limits.memory, Math.max(FETCH_BYTES, limits.memory / 4)) : limits.memory
  }

  /** Runs that fetch go on beside others in whatever step, and what is prepared beside the first of them is for the step that follows. */
  function stepOf(network: RunSpec['network']): Step {
    if (network === 'fetch') return 'fetch'
    return current?.step === 'fetch' ? 'metadata' : current?.step ?? 'plan'
  }

  async function notePeak(run: Run): Promise<void> {
    if (!current) return
    const { peakBytes } = await usage(run)
    if (peakBytes !== undefined) peaks.set(current.step, Math.max(peakBytes, peaks.get(current.step) ?? 0))
  }

  async function closeStep(): Promise<void> {
    if (!current) return
    for (const run of open) await notePeak(run)
    const { step, since } = current
    const peakBytes = peaks.get(step)
    steps.push({ step, seconds: (clock.now() - since) / 1000, ...(peakBytes === undefined ? {} : { peakBytes }) })
    current = undefined
  }

  function guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const stop = () => reject(signal.reason as Error)
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    })
  }
}

/** The figures are worth less than the outcome: a run that is gone has none. */
async function usage(run: Run): Promise<Usage> {
  return run.usage().catch(() => ({ peakBytes: undefined, oomKills: 0 }))
}
