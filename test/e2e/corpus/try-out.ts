/** One release, from the order to an import on a clean image. */
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildView, JobList, JobView, type BuildView as Build, type JobView as Job } from '../../../src/services/views.ts'
import { ROOT, type BuiltFor, type Lab, type Muslin } from '../lab.ts'
import { isNative, type Entry } from './entries.ts'
import type { Seen } from './judge.ts'

const LOGS = join(ROOT, 'test-results/corpus/logs')
const POLL_MS = 500
const CANCEL_TRIES = 20
/** Longer than any build may take, with the builds that it waits for. */
const LONGEST_MS = 2 * 60 * 60_000

/** Orders a release by the API, follows its job to the end, and installs and imports what was built. Throws where the server does not answer. */
export async function tryOut(lab: Lab, muslin: Muslin, entry: Entry, target: BuiltFor): Promise<Seen> {
  const job = await follow(muslin, await order(muslin, entry, target))
  if (job.build !== null) await keepLog(muslin, job.build, entry)
  const build = job.build === null ? undefined : BuildView.parse(await ask(muslin, `api/v1/builds/${job.build}`))
  const seen: Seen = {
    outcome: outcomeOf(job, build),
    failure: muslin.jobs().find(({ id }) => id === job.id)?.failure as Seen['failure'] ?? null,
    seconds: job.seconds,
    peakBytes: build ? Math.max(0, ...build.steps.map(({ peakBytes }) => peakBytes ?? 0)) : null,
    attempts: job.attempts,
    year: await yearOf(muslin, job),
    wheelBytes: job.wheel?.size ?? null,
    clean: null,
  }
  return job.wheel && isNative(entry) ? { ...seen, clean: await onCleanImage(lab, muslin, entry, target, job.wheel.url) } : seen
}

/** Ends whatever runs or waits, so that no container outlives the server. */
export async function cancelAll(muslin: Muslin): Promise<void> {
  const headers = await asAdmin(muslin)
  // What ends may make room for what was not queued yet.
  for (let left = CANCEL_TRIES; left > 0; left--) {
    const lists = await Promise.all(['queued', 'running'].map(async (state) => JobList.parse(await ask(muslin, `api/v1/jobs?state=${state}`)).jobs))
    if (lists.flat().length === 0) return
    await Promise.allSettled(lists.flat().map(({ id }) => ask(muslin, `api/v1/jobs/${id}/cancel`, { method: 'POST', headers })))
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function order(muslin: Muslin, { project, version }: Entry, target: BuiltFor): Promise<Job> {
  const headers = { ...await asAdmin(muslin), 'content-type': 'application/json' }
  const answer = await ask(muslin, 'api/v1/jobs', { method: 'POST', headers, body: JSON.stringify({ project, version, targets: [target.name] }) })
  const [job] = JobList.parse(answer).jobs
  if (!job) throw new Error(`no job was made for ${project} ${version}`)
  return job
}

async function follow(muslin: Muslin, { id }: Job): Promise<Job> {
  const until = Date.now() + LONGEST_MS
  for (;;) {
    const job = JobView.parse(await ask(muslin, `api/v1/jobs/${id}`))
    if (['built', 'failed', 'cancelled'].includes(job.state)) return job
    if (Date.now() > until) throw new Error(`job ${id} of ${job.project} ${job.version} does not end: ${job.state}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function outcomeOf(job: Job, build: Build | undefined): Seen['outcome'] {
  if (job.state !== 'built') return job.state === 'cancelled' ? 'cancelled' : 'failed'
  const verify = build?.record?.['verify'] as { native?: boolean } | undefined
  return verify?.native ? 'built' : 'pure'
}

async function yearOf(muslin: Muslin, { project, sdist }: Job): Promise<number | null> {
  const page = await ask(muslin, `simple/${project}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } }) as { files: { filename: string; 'upload-time'?: string }[] }
  const time = page.files.find(({ filename }) => filename === sdist.filename)?.['upload-time']
  return time === undefined ? null : new Date(time).getUTCFullYear()
}

/** Where the upstream has a wheel too, pip would take that one: ours is named by its address, what it requires comes from the index. */
async function onCleanImage(lab: Lab, muslin: Muslin, { module }: Entry, { clean }: BuiltFor, url: string): Promise<NonNullable<Seen['clean']>> {
  const script = 'pip install -q --progress-bar off "$1" && python3 -c "import importlib, sys; importlib.import_module(sys.argv[1])" "$2"'
  const { code, output, seconds } = await lab.run(clean, ['sh', '-c', script, 'sh', `${muslin.inside}/${url}`, module], { env: lab.index(muslin), seconds: 3600 })
  return { ok: code === 0, seconds, said: output.trim().split('\n').slice(-3).join(' | ').slice(-400) }
}

async function asAdmin({ data }: Muslin): Promise<Record<string, string>> {
  return { authorization: `Bearer ${(await readFile(join(data, 'admin-token'), 'utf8')).trim()}` }
}

/** What a build said outlives the server, for whoever wonders about an outcome. */
async function keepLog({ data }: Muslin, build: number, { pin, target }: Entry): Promise<void> {
  await mkdir(LOGS, { recursive: true })
  await copyFile(join(data, 'logs', `${build}.log`), join(LOGS, `${pin}-${target}.log`))
}

async function ask(muslin: Muslin, path: string, options: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(`${muslin.url}/${path}`, options)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${options.method ?? 'GET'} ${path}: ${answer.status} ${text.slice(0, 500)}`)
  return JSON.parse(text)
}
