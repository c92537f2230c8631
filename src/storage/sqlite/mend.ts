import type { Database } from 'better-sqlite3'
import { PRIORITY } from '../../domain/job.ts'
import type { Holding, HoldingKind, MendStore } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { asPort } from './port.ts'

const QUEUE = `
  UPDATE jobs SET state = 'queued', attempts = 0, priority = ${PRIORITY.background}, worker = NULL, lease_until = NULL, step = NULL, failure = NULL, retry_at = NULL,
    created_at = @now, started_at = NULL, finished_at = NULL`

/** What is forgotten and queued where bytes are lost, so that they are fetched or made again. */
export function createMend(db: Database, changes: Changes): MendStore {
  const selectWheel = db.prepare<[string], { project: string; sdist: string; target: string; build: number; sha256: string; metadata: string }>(
    'SELECT project, sdist, target, build, sha256, metadata FROM wheels WHERE filename = ?')
  const dropWheel = db.prepare<[string]>('DELETE FROM wheels WHERE filename = ?')
  const queueBuild = db.prepare<{ build: number; now: number }>(`
    ${QUEUE} WHERE id = (SELECT job FROM builds WHERE id = @build) AND state = 'built'`)
  const metadataOf = db.prepare<[string], { sdist: string; target: string }>('SELECT sdist, target FROM metadata WHERE sha256 = ?')
  const dropMetadata = db.prepare<[string]>('DELETE FROM metadata WHERE sha256 = ?')
  const queueMetadata = db.prepare<{ sdist: string; target: string; now: number }>(`
    ${QUEUE} WHERE kind = 'metadata' AND state = 'built' AND sdist = @sdist AND target = @target
      AND NOT EXISTS (SELECT 1 FROM wheels WHERE wheels.sdist = @sdist AND wheels.target = @target)`)
  const projectsOf = db.prepare<[string], string>('SELECT DISTINCT project FROM jobs WHERE sdist = ?').pluck()
  const forgetFile = db.prepare<[string]>('DELETE FROM cached_files WHERE sha256 = ?')
  const forgetResult = db.prepare<[string]>('DELETE FROM results WHERE sha256 = ?')
  const forgetKept = db.prepare<[string]>('DELETE FROM kept_files WHERE sha256 = ?')
  const forgetList = db.prepare<[string]>('DELETE FROM project_list WHERE sha256 = ?')
  const setMetadata = db.prepare<[string, string]>('UPDATE wheels SET metadata = ? WHERE filename = ?')
  const putMetadata = db.prepare<[string, string, string]>('INSERT INTO metadata VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sha256 = excluded.sha256')
  const dropPage = db.prepare<[string]>('DELETE FROM pages WHERE project = ?')

  const lose: Record<HoldingKind, (holding: Holding, now: number) => boolean> = {
    'upstream-file': loseFile,
    'cached': loseFile,
    // The digest is what a page said: the bytes are fetched again by it.
    'upstream-metadata': () => false,
    'wheel': loseWheel,
    // A wheel that cannot say its METADATA installs nowhere that reads them first.
    'wheel-metadata': loseWheel,
    'promise-metadata': ({ sha256 }, now) => {
      let queued = 0
      for (const { sdist, target } of metadataOf.all(sha256)) {
        queued += queueMetadata.run({ sdist, target, now }).changes
        for (const project of projectsOf.all(sdist)) changes.bump(project)
      }
      dropMetadata.run(sha256)
      return queued > 0
    },
    'result': ({ sha256 }) => {
      forgetResult.run(sha256)
      return false
    },
    'kept': ({ sha256 }) => {
      forgetKept.run(sha256)
      return false
    },
    'list': ({ sha256 }) => {
      forgetList.run(sha256)
      return false
    },
  }

  function loseFile({ sha256 }: Holding): boolean {
    forgetFile.run(sha256)
    return false
  }

  function loseWheel({ kind, name, sha256 }: Holding, now: number): boolean {
    const wheel = selectWheel.get(name)
    // One of the same name may have been built since the bytes were looked for.
    if (!wheel || sha256 !== (kind === 'wheel' ? wheel.sha256 : wheel.metadata)) return false
    dropWheel.run(name)
    changes.bump(wheel.project)
    return queueBuild.run({ build: wheel.build, now }).changes > 0
  }

  const inOne = db.transaction((holding: Holding, now: number): boolean => lose[holding.kind](holding, now))

  const replace = db.transaction((filename: string, metadata: string): void => {
    const wheel = selectWheel.get(filename)
    if (!wheel) return
    setMetadata.run(metadata, filename)
    putMetadata.run(wheel.sdist, wheel.target, metadata)
    changes.bump(wheel.project)
  })

  return asPort<MendStore>({
    lose(holding, now) {
      const queued = inOne.immediate(holding, now)
      if (queued) changes.notify()
      return queued
    },
    setWheelMetadata(filename, metadata) { replace.immediate(filename, metadata) },
    losePage(project) {
      dropPage.run(project)
      changes.bump(project)
    },
  })
}
