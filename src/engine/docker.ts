/** Docker or Podman as an engine, by its command line client: whatever that reaches (socket, TCP, ssh) can build. */
import { createHash, randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { Engine, ImageSource, Run, RunSpec } from '../services/ports.ts'
import { createArguments, userOf, type Given } from './arguments.ts'
import { createCli } from './cli.ts'
import { createDerived } from './derived.ts'
import { DIALECTS, type Dialect } from './dialect.ts'
import { knownDigest, makeImage, NO_IMAGE } from './image.ts'
import { LABEL } from './labels.ts'
import { fetchNetwork, ownNetwork, sweepNetworks, type FetchNetwork } from './network.ts'
import { engineFacts } from './place.ts'
import { createRun, removeContainer } from './run.ts'

export { builtRef, imageDigest } from './image.ts'
export { probeEngine, type Probe } from './probe.ts'

export interface DockerOptions {
  /** docker unless given. */
  kind?: Dialect['name']
  /** The client's name or path; the kind's own unless given. */
  command?: string
  /** Where the engine is, as the variable DOCKER_HOST has it; unless given where the client's own settings say. */
  address?: string
  /** This server's instance id: what bears it as a label is ours. */
  instance: string
  /** A network of the admin's for fetch runs; then none is made. */
  fetchNetwork?: string
  /** The host at which Muslin is reached from the fetch network; unless given its gateway, if the engine is on this machine. */
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
 * An engine on what the client reaches. Nothing is asked of it before the first call. Every method throws `engine-unavailable`
 * where no engine answers.
 */
export function createDockerEngine(options: DockerOptions): Engine {
  const { instance, log } = options
  const dialect = DIALECTS[options.kind ?? 'docker']
  const cli = createCli(options.command ?? dialect.name, { dialect, address: options.address })
  const self = options.process ?? randomBytes(8).toString('hex')
  const short = createHash('sha256').update(instance).digest('hex').slice(0, 12)
  /** Names of the containers that runs of this process still use. */
  const running = new Set<string>()
  const making = new Map<string, Promise<{ ref: string; digest: string }>>()
  const facts = remembered(() => engineFacts(cli))
  const fetchName = `muslin-fetch-${short}`
  const fetching = remembered(async (): Promise<FetchNetwork> => fetchNetwork({
    cli,
    name: fetchName,
    instance,
    ready: { network: options.fetchNetwork, host: options.fetchHost },
    place: (await facts.get()).place,
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
    try {
      await start(run, id, more).catch(async (error: unknown) => {
        if (run.network === 'none' || !(error instanceof MuslinError) || !/network/i.test(error.detail)) throw error
        // Somebody pruned the networks since we made ours.
        await removed(run, id)
        fetching.forget()
        await start(run, id, more)
      })
    } catch (error) {
      // By the name that we gave it: it may be there although the client failed.
      await removed(run, id).finally(() => running.delete(id))
      throw error
    }
    return createRun({ cli, id, user: userOf(run), limits: run.limits, remove: () => removed(run, id).finally(() => running.delete(id)) })
  }

  async function removed(run: RunSpec, id: string): Promise<boolean> {
    const done = await removeContainer({ cli, id, log })
    if (run.network === 'fetch' && (await fetching.held())?.each) await cli.run(['network', 'rm', id])
    return done
  }

  async function start(run: RunSpec, id: string, more: Pick<Given, 'labels' | 'bare'>) {
    const { cores } = await facts.get()
    const fetch = run.network === 'fetch' && !run.system ? await fetching.get() : undefined
    const isolatedDns = fetch?.closed === true && options.fetchNetwork === undefined
    if (fetch?.each) await ownNetwork({ cli, name: id, instance })
    const shared = run.network === 'open' && !run.system ? dialect.apart.network : 'none'
    const network = fetch === undefined ? shared : fetch.each ? id : fetch.name
    const given = { name: id, instance, process: self, network, isolatedDns, cores, dialect, ...more }
    await cli.must(createArguments(run, given), { refuse: refusal(run.image) })
    await cli.must(['start', id], { refuse: refusal(run.image) })
    // Podman takes the root folder for unwritable where no layer of the image names it, and this root respects that.
    if (run.system) await cli.must(['exec', '--user', userOf(run), id, 'chmod', 'u+w', '/'])
  }

  /**
   * Removes the containers of this instance whose process is not alive (`live`), and those of this process that no run uses any more
   * but that the engine would not remove; then derived images beyond those kept, and networks of this instance that nothing uses.
   * The fetch network stays while another process is alive, which may know its gateway by heart.
   */
  async function sweep() {
    const live = new Set(await options.live?.() ?? [])
    live.delete(self)
    const text = await cli.must(['ps', '--all', '--no-trunc', '--filter', `label=${LABEL.instance}=${instance}`, '--format', dialect.containerFormat])
    const ours = text.split('\n').filter((line) => line !== '').map((line) => line.split(' '))
    const stale = ours.filter(([name = '', process = '']) => !running.has(name) && !live.has(process))
    const done = await Promise.all(stale.map(([id = '']) => removeContainer({ cli, id, log })))
    await derived.sweep()
    const fetch = await fetching.held()
    await sweepNetworks({ cli, instance, keep: (name) => name === fetch?.name || running.has(name) || (live.size > 0 && name.startsWith(fetchName)) })
    return done.filter(Boolean).length
  }

  return { name: dialect.name, opensNetworks: true, image, digest: (source) => knownDigest(source, cli), network: () => fetching.get(), create: (run) => make(run), derive: derived.derive, sweep }
}

function refusal(image: string) {
  return (words: string) => {
    if (NO_IMAGE.test(words)) {
      return new MuslinError('image-unavailable', `${image} is not on this engine any more: it is made ready again at the next build`)
    }
    if (/"?sh"?:? executable file.* not found/i.test(words)) {
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
