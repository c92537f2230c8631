/** Docker as an engine, by its command line client: whatever that reaches (socket, TCP, ssh) can build. */
import { createHash, randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { Engine, ImageSource, Run, RunSpec } from '../services/ports.ts'
import { createArguments, LABEL, userOf, type Given } from './arguments.ts'
import { createCli, lastWords, type Cli } from './cli.ts'
import { createDerived } from './derived.ts'
import { knownDigest, makeImage } from './image.ts'
import { fetchNetwork, sweepNetworks, type FetchNetwork } from './network.ts'
import { createRun, removeContainer } from './run.ts'

export { builtRef, imageDigest } from './image.ts'
export { probeDocker } from './probe.ts'

export interface DockerOptions {
  /** The client's name or path. */
  command?: string
  /** This server's instance id: what bears it as a label is ours. */
  instance: string
  /** A network of the admin's for fetch runs; then none is made. */
  fetchNetwork?: string
  /** The host at which Muslin is reached from the fetch network; its gateway unless given. */
  fetchHost?: string
  /**
   * Ids of the processes of this instance that are alive, this one's (`process`) or not; asked at each sweep. Without it there is one
   * process an instance, and what others made is swept: whoever starts a second worker on one instance passes both.
   */
  live?: () => Promise<string[]>
  /** This process's id among those; random unless given. */
  process?: string
  /** How many derived images a sweep leaves; 20 unless given. */
  keepDerived?: number
  log: Logger
}

/** Enough for a day's builds; each holds what its base lacks, tens of megabytes mostly. */
const KEEP_DERIVED = 20

/**
 * An engine on what the docker client reaches. Nothing is asked of it before the first call. Every method throws `engine-unavailable`
 * where no engine answers.
 */
export function createDockerEngine(options: DockerOptions): Engine {
  const { instance, log } = options
  const cli = createCli(options.command ?? 'docker')
  const self = options.process ?? randomBytes(8).toString('hex')
  const short = createHash('sha256').update(instance).digest('hex').slice(0, 12)
  /** Names of the containers that runs of this process still use. */
  const running = new Set<string>()
  const making = new Map<string, Promise<{ ref: string; digest: string }>>()
  const facts = remembered(() => engineFacts(cli))
  const fetching = remembered(async (): Promise<FetchNetwork> => fetchNetwork({
    cli,
    name: `muslin-fetch-${short}`,
    instance,
    ready: { network: options.fetchNetwork, host: options.fetchHost },
    desktop: (await facts.get()).desktop,
  }))

  /** Wishes for one image at once share the work, and its failure. */
  function image(source: ImageSource) {
    const key = JSON.stringify(source)
    const made = making.get(key) ?? makeImage(source, { cli, log }).finally(() => making.delete(key))
    making.set(key, made)
    return made
  }

  const derived = createDerived({ cli, instance, short, keep: options.keepDerived ?? KEEP_DERIVED, start: make, log })

  async function make(run: RunSpec, more: Pick<Given, 'labels' | 'bare'> = {}): Promise<Run> {
    const id = `muslin-${short}-${randomBytes(6).toString('hex')}`
    running.add(id)
    const removed = () => { running.delete(id) }
    try {
      await start(run, id, more).catch(async (error: unknown) => {
        if (run.network === 'none' || !(error instanceof MuslinError) || !/network/i.test(error.detail)) throw error
        // Somebody pruned the networks since we made ours.
        fetching.forget()
        await removeContainer({ cli, id, log })
        await start(run, id, more)
      })
    } catch (error) {
      // By the name that we gave it: it may be there although the client failed.
      await removeContainer({ cli, id, log }).finally(removed)
      throw error
    }
    return createRun({ cli, id, user: userOf(run), memoryBytes: run.limits.memoryBytes, log, removed })
  }

  async function start(run: RunSpec, id: string, more: Pick<Given, 'labels' | 'bare'>) {
    const { cores } = await facts.get()
    const fetch = run.network === 'fetch' && !run.system ? await fetching.get() : undefined
    const isolatedDns = fetch?.closed === true && options.fetchNetwork === undefined
    const given = { name: id, instance, process: self, network: fetch?.name ?? 'none', isolatedDns, cores, ...more }
    await cli.must(createArguments(run, given), { refuse: refusal(run.image) })
    await cli.must(['start', id], { refuse: refusal(run.image) })
  }

  /**
   * Removes the containers of this instance whose process is not alive (`live`), and those of this process that no run uses any more
   * but that the engine would not remove; then derived images beyond those kept, and networks of this instance that nothing uses.
   */
  async function sweep() {
    const live = new Set(await options.live?.() ?? [])
    live.delete(self)
    const format = `{{.Names}} {{.Label "${LABEL.process}"}}`
    const text = await cli.must(['ps', '--all', '--no-trunc', '--filter', `label=${LABEL.instance}=${instance}`, '--format', format])
    const ours = text.split('\n').filter((line) => line !== '').map((line) => line.split(' '))
    const stale = ours.filter(([name = '', process = '']) => !running.has(name) && !live.has(process))
    const done = await Promise.all(stale.map(([id = '']) => removeContainer({ cli, id, log })))
    await derived.sweep()
    await sweepNetworks({ cli, instance, keep: (await fetching.held())?.name })
    return done.filter(Boolean).length
  }

  return { name: 'docker', image, digest: (source) => knownDigest(source, cli), network: () => fetching.get(), create: (run) => make(run), derive: derived.derive, sweep }
}

async function engineFacts(cli: Cli): Promise<{ cores: number; desktop: boolean }> {
  const text = await cli.must(['info', '--format', '{{json .}}'])
  const facts = JSON.parse(text || '{}') as { NCPU?: number; OperatingSystem?: string; ServerErrors?: string[] }
  // Older clients end well although no daemon answered.
  if (!facts.NCPU) {
    const said = lastWords(facts.ServerErrors?.[0] ?? 'no answer')
    throw new MuslinError('engine-unavailable', `no daemon answers ${cli.command} (${said}): start it, or set DOCKER_HOST to where it listens`)
  }
  return { cores: facts.NCPU, desktop: facts.OperatingSystem === 'Docker Desktop' }
}

function refusal(image: string) {
  return (words: string) => {
    if (/no such image/i.test(words)) {
      return new MuslinError('image-unavailable', `${image} is not on this engine any more: it is made ready again at the next build`)
    }
    if (/"sh": executable file not found/i.test(words)) {
      return new MuslinError('image-unavailable', `${image} has no shell: name an image with sh and tar in builderImages`)
    }
    return undefined
  }
}

/** Asked once; a failure is not remembered. */
function remembered<T>(ask: () => Promise<T>) {
  let answer: Promise<T> | undefined
  const forget = () => { answer = undefined }
  const get = () => answer ??= ask().catch((error: unknown) => {
    forget()
    throw error
  })
  return { get, forget, held: async () => answer?.catch(() => undefined) }
}
