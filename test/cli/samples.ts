/** Answers of a server as a test wants them; each key can be told otherwise. */
import type { JobView, Plan, PlanLine, Prebuild, PrebuildLine } from '../../src/services/views.ts'

export const TARGET = 'cp313-musllinux_1_2_x86_64'

export function job(parts: Partial<JobView> = {}): JobView {
  return {
    id: 12, kind: 'build', project: 'lxml', version: '5.3.0', target: TARGET, sdist: { filename: 'lxml-5.3.0.tar.gz', sha256: 'a'.repeat(64) },
    state: 'queued', step: null, priority: 'asked', askedBy: '127.0.0.1', attempts: 0, recipe: '', build: null,
    createdAt: '2026-11-21T12:00:00Z', startedAt: null, finishedAt: null, seconds: null, estimateSeconds: null, ahead: null, startsInSeconds: null, paused: null, remainingSeconds: null, waitsFor: [],
    failure: null, retryAt: null, wheel: null, ...parts,
  }
}

export const BUILT: Partial<JobView> = {
  state: 'built', build: 7, attempts: 1, startedAt: '2026-11-21T12:00:01Z', finishedAt: '2026-11-21T12:00:42Z', seconds: 41,
  wheel: { filename: `lxml-5.3.0-1-cp313-${TARGET}.whl`, sha256: 'b'.repeat(64), size: 2_300_000, url: 'files/b/lxml.whl', tried: true },
}

export const FAILED: Partial<JobView> = {
  state: 'failed', build: 7, attempts: 1, startedAt: '2026-11-21T12:00:01Z', finishedAt: '2026-11-21T12:00:05Z', seconds: 4,
  failure: { class: 'missing-header', cause: 'needs header ffi.h', remedy: 'use a builder image that holds it', apks: ['libffi-dev'], job: null },
}

export function planLine(parts: Partial<PlanLine> = {}): PlanLine {
  return {
    project: 'lxml', version: '5.3.0', target: TARGET, file: 'requirements.txt', line: 1, verdict: 'would-build', filename: `lxml-5.3.0-1-cp313-${TARGET}.whl`,
    sdist: { filename: 'lxml-5.3.0.tar.gz', sha256: 'a'.repeat(64) }, estimateSeconds: 40, why: null, remedy: null, job: null, runtimeApks: [], ...parts,
  }
}

export function plan(lines: PlanLine[]): Plan {
  const of = (verdict: PlanLine['verdict']) => lines.filter((line) => line.verdict === verdict).length
  return {
    targets: [TARGET], files: [{ name: 'requirements.txt', kind: 'requirements', pins: lines.length }], lines,
    totals: { upstreamWheel: of('upstream-wheel'), built: of('built'), wouldBuild: of('would-build'), cannot: of('cannot'), estimateSeconds: 125 },
  }
}

export function prebuildLine(parts: Partial<PrebuildLine> = {}): PrebuildLine {
  return { ...planLine(), state: 'queued', build: null, failure: null, seconds: null, ...parts }
}

/** With its counts as its lines make them. */
export function prebuild(lines: PrebuildLine[], parts: Partial<Prebuild> = {}): Prebuild {
  const total = lines.filter(({ state }) => !['had', 'cannot', 'left-out'].includes(state)).length
  const failed = lines.filter(({ state }) => state === 'failed' || state === 'cancelled').length
  const done = failed + lines.filter(({ state }) => state === 'built').length
  return {
    id: 3, createdAt: '2026-11-21T12:00:00Z', askedBy: 'admin', name: 'requirements.txt', targets: [TARGET],
    done, failed, total, finished: done === total, paused: null, remainingSeconds: done === total ? null : 125, lines, ...parts,
  }
}
