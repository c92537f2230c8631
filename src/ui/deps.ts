import type { Context } from 'koa'
import type { Job } from '../domain/job.ts'
import type { JobViews } from '../services/job-views.ts'
import type { BuildLogs, Clock, JobStore } from '../services/ports.ts'
import type { Overview, Plan, PlanRequest, Prebuild, PrebuildRequest, ProjectMatrix } from '../services/views.ts'
import type { Html } from './html.ts'

/** What the pages stand on. */
export interface UiDeps {
  overview: { overview(): Promise<Overview> }
  matrix: { project(name: string): Promise<ProjectMatrix> }
  planner: { plan(request: PlanRequest): Promise<Plan> }
  prebuilds: {
    create(request: PrebuildRequest, askedBy: string): Promise<Prebuild>
    get(id: number): Promise<Prebuild>
    list(limit: number): Promise<{ id: number; createdAt: string; name: string; askedBy: string }[]>
  }
  orders: {
    build(order: { project: string; version?: string; targets?: string[]; publish?: boolean }, askedBy: string): Promise<Job[]>
    retry(id: number): Promise<Job>
    cancel(id: number): Promise<Job>
  }
  jobViews: Pick<JobViews, 'jobs' | 'get' | 'build'>
  jobs: JobStore
  logs: Pick<BuildLogs, 'read'>
  /** Where this server's root is for this client, without a slash at the end. */
  links: { root(ctx: Context): string | undefined }
  clock: Clock
  /** Names of the configured targets. */
  targets: string[]
  version: string
  /** Aborts when the server stops: live answers then end. */
  closing?: AbortSignal
}

export type Nav = 'overview' | 'jobs' | 'prebuild' | 'use'

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
