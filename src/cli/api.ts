/** A running server's JSON API, as the commands use it. */
import { text } from 'node:stream/consumers'
import { Agent, type Dispatcher, request } from 'undici'
import type { z } from 'zod'
import about from '../../package.json' with { type: 'json' }
import { cleanTerminal } from '../domain/clean.ts'
import { type ErrorCode, ERRORS, MuslinError } from '../errors.ts'
import { type GcOrder, GcReport } from '../services/gc.ts'
import { LockHashes } from '../services/lock-views.ts'
import { type LikeOrder, Outdated, type OutdatedOrder, OutdatedRebuilt } from '../services/rebuild-views.ts'
import type { RecipeInput } from '../services/recipe-schema.ts'
import { Refreshed } from '../services/refresh-views.ts'
import { ProjectRecipe, RecipeLayerView, RecipeList, type RecipeText, SetRecipes } from '../services/recipe-views.ts'
import { WaitingList } from '../services/waiting-views.ts'
import { BuildView, JobList, type JobOrder, JobView, PauseState, Plan, type PlanRequest, Prebuild, type PrebuildRequest, Problem, TargetList, type TargetView } from '../services/views.ts'
import { readEvents, type StreamEvent } from './event-stream.ts'
import { unreachable } from './unreachable.ts'

export interface Token {
  value: string
  /** Where it was found, for people: `MUSLIN_TOKEN`. */
  from: string
}

export interface WaitingFilter { /** Only those of this address. */ own: boolean; /** Of these projects; of all, where empty. */ projects: string[] }

/** Each throws what the server answered as the same MuslinError, `no-server` where none that can be understood answers, and the signal's reason. */
export interface Api {
  /** The address of what the server serves under this path. */
  link(path: string): string
  targets(): Promise<TargetView[]>
  jobs(filter: { state?: string | undefined; project?: string | undefined; limit?: number | undefined }): Promise<JobView[]>
  job(id: number, signal?: AbortSignal): Promise<JobView>
  waiting(filter: WaitingFilter, signal?: AbortSignal): Promise<WaitingList>
  build(id: number, signal?: AbortSignal): Promise<BuildView>
  order(order: JobOrder): Promise<JobView[]>
  cancel(id: number): Promise<JobView>
  retry(id: number): Promise<JobView>
  pause(reason: string | undefined): Promise<PauseState>
  resume(): Promise<PauseState>
  gc(order: GcOrder): Promise<GcReport>
  plan(request: PlanRequest): Promise<Plan>
  /** The texts come as they are, to be written as they are. */
  lockHashes(request: PlanRequest): Promise<LockHashes>
  startPrebuild(request: PrebuildRequest): Promise<Prebuild>
  prebuild(id: number, signal?: AbortSignal): Promise<Prebuild>
  planRebuild(order: LikeOrder): Promise<Plan>
  startRebuild(order: LikeOrder): Promise<Prebuild>
  outdated(): Promise<Outdated>
  rebuildOutdated(order: OutdatedOrder): Promise<OutdatedRebuilt>
  refresh(project: string): Promise<Refreshed>
  recipes(): Promise<RecipeList>
  recipe(project: string): Promise<ProjectRecipe>
  setRecipe(input: RecipeInput): Promise<RecipeLayerView>
  importRecipes(file: RecipeText): Promise<RecipeLayerView[]>
  /** TOML, as it is. */
  exportRecipes(project: string | undefined): Promise<string>
  removeRecipe(id: number): Promise<RecipeLayerView>
  /** Opens a build's log, behind the event `after` or from the first line on: events `message` with `{text}`, then `end`. */
  log(build: number, options: { after: string | undefined; signal: AbortSignal }): Promise<AsyncGenerator<StreamEvent>>
  /** Opens the stream that has an event each time that a job may have changed. */
  events(signal: AbortSignal): Promise<AsyncGenerator<StreamEvent>>
  close(): Promise<void>
}

const CONNECT_MS = 10_000
/** A stream without even a comment for so long has lost its server, or stands behind a proxy that keeps events to itself. */
const SILENCE_MS = 45_000

/** `ca` are the PEM certificates to trust. Nothing is asked before the first call. */
export function createApi({ url, token, ca }: { url: URL; token: Token | undefined; ca?: string[] | undefined }): Api {
  const base = withoutCredentials(url)
  const authorization = authorizationOf(url, token)
  const agent = new Agent({ connect: { timeout: CONNECT_MS, ...(ca && { ca }) } })
  const link = (path: string): string => new URL(path.replace(/^\/+/, ''), base).href

  return {
    link,
    targets: async () => (await get(TargetList, 'targets')).targets,
    async jobs(filter) {
      const query = new URLSearchParams(Object.entries(filter).flatMap(([name, value]) => value === undefined ? [] : [[name, String(value)]]))
      return (await get(JobList, `jobs?${query}`)).jobs
    },
    waiting: ({ own, projects }, signal) => get(WaitingList, `waiting?${new URLSearchParams({ own: String(own), ...projects.length > 0 && { project: projects.join(',') } })}`, signal),
    job: (id, signal) => get(JobView, `jobs/${id}`, signal),
    build: (id, signal) => get(BuildView, `builds/${id}`, signal),
    order: async (order) => (await post(JobList, 'jobs', order)).jobs,
    cancel: (id) => post(JobView, `jobs/${id}/cancel`, {}),
    retry: (id) => post(JobView, `jobs/${id}/retry`, {}),
    pause: (reason) => post(PauseState, 'pause', { reason }),
    resume: () => post(PauseState, 'resume', {}),
    gc: (order) => post(GcReport, 'gc', order),
    plan: (wanted) => post(Plan, 'plan', wanted),
    lockHashes: (wanted) => parsed(LockHashes, 'lock-hashes', posted(wanted), verbatimText),
    startPrebuild: (wanted) => post(Prebuild, 'prebuilds', wanted),
    prebuild: (id, signal) => get(Prebuild, `prebuilds/${id}`, signal),
    planRebuild: (order) => post(Plan, 'rebuilds/plan', order),
    startRebuild: (order) => post(Prebuild, 'rebuilds', order),
    outdated: () => get(Outdated, 'outdated'),
    rebuildOutdated: (order) => post(OutdatedRebuilt, 'outdated/rebuild', order),
    refresh: (project) => post(Refreshed, `projects/${encodeURIComponent(project)}/refresh`, {}),
    recipes: () => get(RecipeList, 'recipes'),
    recipe: (project) => get(ProjectRecipe, `projects/${encodeURIComponent(project)}/recipe`),
    setRecipe: (input) => post(RecipeLayerView, 'recipes', input),
    importRecipes: async (file) => (await post(SetRecipes, 'recipes/import', file)).recipes,
    exportRecipes: async (project) => text(await ask(`recipes.toml${project === undefined ? '' : `?${new URLSearchParams({ project })}`}`, 'application/toml', { method: 'GET' })),
    removeRecipe: (id) => parsed(RecipeLayerView, `recipes/${id}`, { method: 'DELETE' }),
    log: (build, { after, signal }) => stream(`builds/${build}/log`, signal, after),
    events: (signal) => stream('events', signal),
    close: () => agent.destroy(),
  }

  function get<T>(schema: z.ZodType<T>, path: string, signal?: AbortSignal): Promise<T> {
    return parsed(schema, path, { method: 'GET', ...(signal && { signal }) })
  }

  function post<T>(schema: z.ZodType<T>, path: string, body: unknown): Promise<T> {
    return parsed(schema, path, posted(body))
  }

  async function parsed<T>(schema: z.ZodType<T>, path: string, options: Options, clean = cleanText): Promise<T> {
    const body = await ask(path, 'application/json', options)
    const given = await text(body).catch((error: unknown) => { throw options.signal?.aborted ? options.signal.reason : unreachable(error, base) })
    const result = schema.safeParse(parseJson(given, clean))
    if (result.success) return result.data
    const { path: at = [], message = '' } = result.error.issues[0] ?? {}
    throw new MuslinError('no-server', `${link(`api/v1/${path}`)} answered what this muslin does not understand (${at.join('.') || 'all'}: ${message}); use the muslin of that server's version`)
  }

  async function stream(path: string, signal: AbortSignal, after?: string): Promise<AsyncGenerator<StreamEvent>> {
    const body = await ask(path, 'text/event-stream', { method: 'GET', signal, bodyTimeout: SILENCE_MS, headers: after === undefined ? {} : { 'last-event-id': after } })
    return (async function* () {
      try {
        yield* readEvents(body)
      } catch (error) {
        throw signal.aborted ? signal.reason : unreachable(error, base)
      }
    })()
  }

  async function ask(path: string, accept: string, { headers, ...options }: Options): Promise<Dispatcher.ResponseData['body']> {
    const at = new URL(link(`api/v1/${path}`))
    const answer = await request(at, {
      ...options, dispatcher: agent,
      headers: { ...headers, accept, 'user-agent': `muslin-cli/${about.version}`, ...(authorization && { authorization }) },
    }).catch((error: unknown) => { throw options.signal?.aborted ? options.signal.reason : unreachable(error, base) })
    if (answer.statusCode < 300) return answer.body
    const said = await text(answer.body).catch(() => '')
    throw refusal({ status: answer.statusCode, location: answer.headers.location, said, base, token })
  }
}

interface Options {
  method: 'GET' | 'POST' | 'DELETE'
  body?: string
  headers?: Record<string, string>
  signal?: AbortSignal
  bodyTimeout?: number
}

/** What the server refused, in its own words; of the token in ours, since the remedy lies here. */
function refusal({ status, location, said, base, token }: { status: number; location: unknown; said: string; base: URL; token: Token | undefined }): MuslinError {
  const { success, data: problem } = Problem.safeParse(parseJson(said))
  if (status < 400) return new MuslinError('no-server', `${base.href} redirects to ${plain(String(location))}: give --server the address of the server itself`)
  if (!success) return new MuslinError('no-server', `${base.href} answers with ${status}, and not as Muslin does; check --server or MUSLIN_SERVER, and any proxy before it`)
  if (problem.code === 'token-needed') return tokenNeeded(base, token)
  const code = Object.hasOwn(ERRORS, problem.code) ? problem.code as ErrorCode : 'internal'
  return new MuslinError(code, problem.detail, problem.link === undefined ? {} : { link: problem.link })
}

function tokenNeeded({ href }: URL, token: Token | undefined): MuslinError {
  const where = 'it is in the file admin-token of the server\'s data folder'
  if (token) return new MuslinError('token-needed', `${href} does not take the token from ${token.from}; give the right one by --token or MUSLIN_TOKEN: ${where}`)
  return new MuslinError('token-needed', `no token for ${href} was found; give it by --token or MUSLIN_TOKEN, or name that folder by --data: ${where}`)
}

function posted(body: unknown): Options {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

function parseJson(given: string, clean = cleanText): unknown {
  try {
    return JSON.parse(given, (name, value: unknown) => typeof value === 'string' ? clean(name, value) : value)
  } catch {
    return undefined
  }
}

/** What an admin wrote in several lines: the patches and the check of a recipe. */
const OF_LINES = new Set(['text', 'check'])

function cleanText(name: string, value: string): string {
  return OF_LINES.has(name) ? withoutColours(value) : plain(value)
}

/** A lock is written to its file, not to a terminal. */
function verbatimText(name: string, value: string): string {
  return name === 'text' ? value : plain(value)
}

/** Names, causes and log lines come from strangers in the end: one line, without anything that a terminal would obey. */
function plain(value: string): string {
  return withoutColours(value).replace(/[\n\t]/g, ' ')
}

function withoutColours(value: string): string {
  return cleanTerminal(value).replace(/\x1b\[[0-9;:]*m/g, '')
}

function withoutCredentials(url: URL): URL {
  const base = new URL(`${url.pathname.replace(/\/+$/, '')}/`, url)
  base.username = ''
  base.password = ''
  return base
}

/** The token, else what the server's address holds for a proxy before it. */
function authorizationOf({ username, password }: URL, token: Token | undefined): string | undefined {
  if (token) return `Bearer ${token.value}`
  if (username === '' && password === '') return undefined
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
}
