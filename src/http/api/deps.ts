import type { Context } from 'koa'
import type { Asker } from '../../services/admission.ts'
import type { Gc } from '../../services/gc.ts'
import type { JobViews } from '../../services/job-views.ts'
import type { Matrix } from '../../services/matrix.ts'
import type { Orders } from '../../services/orders.ts'
import type { OutdatedWheels } from '../../services/outdated.ts'
import type { OverviewService } from '../../services/overview.ts'
import type { BuildLogs, Clock, JobStore } from '../../services/ports.ts'
import type { Pausing } from '../../services/pausing.ts'
import type { Prebuilds } from '../../services/prebuilds.ts'
import type { Rebuilds } from '../../services/rebuilds.ts'
import type { Refresh } from '../../services/refresh.ts'
import type { Recipes } from '../../services/recipes.ts'
import type { WaitingInstalls } from '../../services/waiting-installs.ts'
import type { WaitingViews } from '../../services/waiting-views.ts'
import type { LockFor } from '../lock-for.ts'
import type { PlanFor } from '../plan-for.ts'

/** What the JSON API stands on. */
export interface ApiDeps {
  jobs: JobStore
  logs: BuildLogs
  planFor: PlanFor
  lockFor: LockFor
  orders: Orders
  prebuilds: Prebuilds
  recipes: Recipes
  outdated: OutdatedWheels
  rebuilds: Rebuilds
  refresh: Refresh
  jobViews: JobViews
  installs: WaitingInstalls
  waitingViews: WaitingViews
  overview: OverviewService
  pausing: Pausing
  gc: Gc
  matrix: Matrix
  /** Who sent a request. */
  asker: (ctx: Context) => Asker
  clock: Clock
  /** This program's own. */
  version: string
  /** Aborts when the server stops. */
  closing: AbortSignal
}
