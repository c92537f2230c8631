import { freePort } from '../../test/e2e/ports.ts'
import { listens, start, until } from '../lib/process.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** What a row is started with. */
export interface Place {
  /** Its state; a second start on the same folder goes on with it. */
  folder: string
  upstream: Upstream
  /** Seconds for which a page counts as fresh, where the row can be told; its own default otherwise. */
  freshFor?: number
  /** The projects that will be asked for: some rows have to be given theirs. */
  projects: string[]
}

export interface Server {
  /** The URL of its simple index; ends in a slash. */
  index: string
  /** Where its process trees begin. */
  pids: number[]
  stop(): Promise<void>
}

export interface Row {
  name: string
  /** A product that others could use in Muslin's place, not one of our yardsticks. */
  peer: boolean
  /** Asks the upstream for what it does not have. */
  caches: boolean
  /** Serves `.metadata` beside its wheels, as its pages say. */
  metadata: boolean
  /** Makes ready what all its starts share, and tells its version. Throws with the reason where it cannot run here. */
  prepare(): Promise<string>
  start(place: Place): Promise<Server>
}

interface ServeOptions {
  folder: string
  env?: (port: number) => Record<string, string>
  /** How long it may take until it listens. */
  seconds?: number
}

/** Starts a row's program on a free port, and waits until it listens. */
export async function serve(command: string, words: (port: number) => string[], path: string, { folder, env = () => ({}), seconds = 60 }: ServeOptions): Promise<Server> {
  const port = await freePort()
  const started = start(command, words(port), { folder, env: env(port) })
  await until('it does not listen', () => listens(port), seconds, started)
  return { index: `http://127.0.0.1:${port}${path}`, pids: [started.pid], stop: () => started.stop() }
}
