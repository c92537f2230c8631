import type { Failure } from '../../domain/failure.ts'
import type { Job, JobKind, JobState, Step } from '../../domain/job.ts'
import type { Build, BuildRecord } from '../../services/ports.ts'

/** A row of `jobs`. */
export interface JobRow {
  id: number
  kind: JobKind
  project: string
  version: string
  sdist: string
  sdist_filename: string
  target: string
  recipe: string
  image: string
  asked_by: string
  priority: number
  state: JobState
  attempts: number
  waited: number
  passed_at: number | null
  worker: string | null
  lease_until: number | null
  step: Step | null
  build: number | null
  failure: string | null
  remembered: number
  retry_at: number | null
  metadata_changed: number
  created_at: number
  started_at: number | null
  finished_at: number | null
}

export interface BuildRow {
  id: number
  job: number
  worker: string
  started_at: number
  finished_at: number | null
  failure: string | null
  record: string | null
  steps: string
}

/**
 * Ends a build: the time, its failure and its record as JSON, and itself. The record's steps tell how much memory it held at its peak.
 */
export const END_BUILD = `
  UPDATE builds SET finished_at = @now, failure = @failure, record = @record,
    peak_bytes = (SELECT max(value ->> '$.peakBytes') FROM json_each(@record, '$.steps')) WHERE id = @build`

/** What was made of another target's wheel says nothing of a compile. */
export const COMPILED = "(record ->> '$.result' IS NULL OR record ->> '$.result.refused' IS NOT NULL)"

export interface EndedBuild { build: number | null; now: number; failure: string | null; record: string | null }

/** A job as the services know it. */
export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    project: row.project,
    version: row.version,
    sdist: { sha256: row.sdist, filename: row.sdist_filename },
    target: row.target,
    recipe: row.recipe,
    image: row.image,
    askedBy: row.asked_by,
    priority: row.priority,
    state: row.state,
    attempts: row.attempts,
    worker: row.worker ?? undefined,
    step: row.step ?? undefined,
    build: row.build ?? undefined,
    failure: toFailure(row.failure),
    remembered: row.remembered === 1,
    metadataChanged: row.metadata_changed === 1,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  }
}

/** A build as the services know it. */
export function toBuild(row: BuildRow): Build {
  return {
    id: row.id,
    job: row.job,
    worker: row.worker,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    failure: toFailure(row.failure),
    record: row.record === null ? undefined : (JSON.parse(row.record) as BuildRecord),
    steps: JSON.parse(row.steps) as Build['steps'],
  }
}

function toFailure(json: string | null): Failure | undefined {
  return json === null ? undefined : (JSON.parse(json) as Failure)
}
