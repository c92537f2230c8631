import type { Database } from 'better-sqlite3'
import type { BuiltWheel, WheelStore } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { END_BUILD, type EndedBuild } from './job-row.ts'
import { asPort } from './port.ts'
import type { Waits } from './waits.ts'

type WheelRow = Omit<BuiltWheel, 'requiresPython' | 'publishedAt' | 'system'> & { requires_python: string | null; published_at: number; system: string | null }

/** The wheels that we built, and the transaction that makes one visible. */
export function createWheels(db: Database, changes: Changes, waits: Waits): WheelStore {
  const selectSome = db.prepare<[string], WheelRow>('SELECT * FROM wheels WHERE project = ? ORDER BY build, filename')
  const selectBundling = db.prepare<[], WheelRow>(
    "SELECT * FROM wheels WHERE json_array_length(system, '$.bundled') > 0 ORDER BY published_at DESC, filename")
  const selectReleases = db.prepare<[string], { project: string; version: string }>(
    'SELECT DISTINCT project, version FROM wheels WHERE target = ? ORDER BY project, version')
  const select = db.prepare<[string, string], WheelRow>('SELECT * FROM wheels WHERE sha256 = ? AND filename = ?')
  const selectBuilt = db.prepare<[string, string, number], WheelRow>('SELECT * FROM wheels WHERE sdist = ? AND target = ? AND number = ?')
  const selectNamed = db.prepare<[Pick<WheelRow, 'filename' | 'sdist' | 'target' | 'number'>], 1>(
    'SELECT 1 FROM wheels WHERE filename = @filename OR (sdist = @sdist AND target = @target AND number = @number)').pluck()
  const insert = db.prepare<[WheelRow]>(`
    INSERT INTO wheels (sha256, filename, size, project, version, target, sdist, number, metadata, requires_python, published_at, build, system)
    VALUES (@sha256, @filename, @size, @project, @version, @target, @sdist, @number, @metadata, @requires_python, @published_at, @build, @system)`)
  // The build is asked for too: a worker that lost the job and then claimed it again has two runs of it.
  const endJob = db.prepare<{ id: number; worker: string; build: number; metadataChanged: number; now: number }>(`
    UPDATE jobs SET state = 'built', step = NULL, failure = NULL, remembered = 0, retry_at = NULL, lease_until = NULL,
      metadata_changed = @metadataChanged, finished_at = @now
    WHERE id = @id AND worker = @worker AND build = @build AND state = 'running'`)
  const endBuild = db.prepare<EndedBuild>(END_BUILD)
  const putMetadata = db.prepare<[string, string, string]>('INSERT INTO metadata VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sha256 = excluded.sha256')
  // A wheel brings its METADATA along: nobody needs the step that only makes that, whether it waits or has failed.
  // One that succeeded after a failure is still remembered: that ends here as well.
  const endMetadataJobs = db.prepare<{ sdist: string; target: string; now: number }>(`
    UPDATE jobs SET state = 'built', failure = NULL, remembered = 0, retry_at = NULL, finished_at = @now
    WHERE kind = 'metadata' AND sdist = @sdist AND target = @target AND (state IN ('queued', 'failed') OR (state = 'built' AND remembered = 1))`)

  const publish = db.transaction((...[wheel, job, record, now]: Parameters<WheelStore['publish']>): boolean => {
    const ended = endJob.run({ id: job.id, worker: job.worker, build: wheel.build, metadataChanged: job.metadataChanged ? 1 : 0, now })
    if (ended.changes === 0) return false
    // Two jobs of one release may run at once where its recipe changed meanwhile; whose wheel is listed stays the one.
    if (selectNamed.get(wheel)) {
      endBuild.run({ build: wheel.build, now, failure: null, record: JSON.stringify(record) })
      waits.built(job.id, now)
      changes.bump(wheel.project)
      return true
    }
    insert.run(toRow(wheel))
    endBuild.run({ build: wheel.build, now, failure: null, record: JSON.stringify(record) })
    putMetadata.run(wheel.sdist, wheel.target, wheel.metadata)
    endMetadataJobs.run({ sdist: wheel.sdist, target: wheel.target, now })
    waits.built(job.id, now)
    changes.bump(wheel.project)
    return true
  })

  return asPort<WheelStore>({
    wheels: (project) => selectSome.all(project).map(toWheel),
    bundling: () => selectBundling.all().map(toWheel),
    releases: (target) => selectReleases.all(target),
    wheel(sha256, filename) {
      const row = select.get(sha256, filename)
      return row && toWheel(row)
    },
    built(sdist, target, number) {
      const row = selectBuilt.get(sdist, target, number)
      return row && toWheel(row)
    },
    publish(...args) {
      const published = publish.immediate(...args)
      if (published) changes.notify()
      return published
    },
  })
}

function toRow({ requiresPython, publishedAt, system, ...wheel }: BuiltWheel): WheelRow {
  return { ...wheel, requires_python: requiresPython ?? null, published_at: publishedAt, system: system === undefined ? null : JSON.stringify(system) }
}

function toWheel({ requires_python, published_at, system, ...wheel }: WheelRow): BuiltWheel {
  return {
    ...wheel, requiresPython: requires_python ?? undefined, publishedAt: published_at,
    ...system !== null && { system: JSON.parse(system) as NonNullable<BuiltWheel['system']> },
  }
}
