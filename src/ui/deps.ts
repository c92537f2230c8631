import type { Context } from 'koa'
import type { MuslinError } from '../errors.ts'
import type { JobViews } from '../services/job-views.ts'
import type { Matrix } from '../services/matrix.ts'
import type { Orders } from '../services/orders.ts'
import type { OutdatedWheels } from '../services/outdated.ts'
import type { OverviewService } from '../services/overview.ts'
import type { BuildLogs, Clock, JobStore } from '../services/ports.ts'
import type { Pausing } from '../services/pausing.ts'
import type { Prebuilds } from '../services/prebuilds.ts'
import type { Rebuilds } from '../services/rebuilds.ts'
import type { Refresh } from '../services/refresh.ts'
import type { Recipes } from '../services/recipes.ts'
import type { WaitingInstalls } from '../services/waiting-installs.ts'
import type { LockHashes } from '../services/lock-views.ts'
import type { Plan, PlanRequest } from '../services/views.ts'
import type { Html } from './html.ts'

/** What the pages stand on. */
export interface UiDeps {
  overview: OverviewService
  pausing: Pausing
  matrix: Matrix
  /** Plans for who sent this request, as long as they are there; with the files with our hashes, or what keeps them from it. */
  planAndLockFor: (ctx: Context, request: PlanRequest) => Promise<{ plan: Plan; hashes: LockHashes | MuslinError }>
  /** The files with our hashes, for who sent this request. */
  lockFor: (ctx: Context, request: PlanRequest) => Promise<LockHashes>
  prebuilds: Prebuilds
  recipes: Recipes
  outdated: OutdatedWheels
  rebuilds: Rebuilds
  refresh: Refresh
  orders: Orders
  jobViews: JobViews
  installs: Pick<WaitingInstalls, 'list'>
  jobs: JobStore
  logs: Pick<BuildLogs, 'read'>
  /** Where this server's root is for this client, without a slash at the end. */
  links: { root(ctx: Context): string | undefined }
  /** Others than this machine reach it: it listens beyond loopback, or a proxy passes on to it. */
  reachable: boolean
  clock: Clock
  /** Names of the configured targets. */
  targets: string[]
  /** Whether the upstream is never asked. */
  offline: boolean
  /** The views of the settings by their names. */
  views: ReadonlyMap<string, unknown>
  version: string
  /** Aborts when the server stops: live answers then end. */
  closing?: AbortSignal
}

export type Nav = 'overview' | 'jobs' | 'prebuild' | 'rebuild' | 'recipes' | 'use'

/** A page without its frame. */
export interface Page {
  /** For the tab and the history; the product's name follows. */
  title: string
  /** The entry of the navigation that it belongs to. */
  nav?: Nav
  body: Html
  /** Without JavaScript the page is loaded again after so many seconds: only for running work, and where nothing is typed. */
  refreshSeconds?: number | undefined
}
