/** What the parts of a server share when they are put together. */
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import type { Apks } from '../services/apks.ts'
import type { Cache } from '../services/cache.ts'
import type { Crates } from '../services/crates.ts'
import type { Files } from '../services/files.ts'
import type { Recipes } from '../services/recipes.ts'
import type { Policy } from '../services/policy.ts'
import type { BlobStore, BuildLogs, Clock, Inspection, SideThread, Store, Upstream } from '../services/ports.ts'
import type { UpstreamPages } from '../services/upstream-pages.ts'

export interface Ports { store: Store; blobs: BlobStore; logs: BuildLogs; upstream: Upstream; clock: Clock }

export interface Parts {
  settings: Settings
  ports: Ports
  inspection: Inspection
  files: Files
  cache: Cache
  apks: Apks
  crates: Crates
  /** Without what the policy of the server holds back. */
  upstreamPages: UpstreamPages
  /** All that the upstream lists. */
  wholePages: UpstreamPages
  policy: Policy
  recipes: Recipes
  /** This server's id. */
  instance: string
  /** This process's own folder for what is in work. */
  scratch: string
  thread: SideThread
  /** Names of the targets that wheels are made for. */
  targets: string[]
  log: Logger
  clock: Clock
}

/** How long answers, and builds, may go on after SIGTERM: what container engines grant is ten seconds by default. */
export const GRACE_MS = 7_000
