import { filesOfRelease } from '../domain/choose.ts'
import { sha256Of } from '../domain/digest.ts'
import { estimateSeconds } from '../domain/estimate.ts'
import type { Job } from '../domain/job.ts'
import type { Pin } from '../domain/lock/lock.ts'
import type { IndexFile, ProjectPage } from '../domain/page.ts'
import type { HeldFile } from '../domain/policy.ts'
import { heldLine } from '../domain/policy-line.ts'
import type { Target } from '../domain/target.ts'
import { canonicalVersion, versionKey } from '../domain/version.ts'
import { decide, type Known, type Verdict } from '../domain/verdict.ts'
import { ERRORS, MuslinError } from '../errors.ts'
import { NO_POLICY, type Policy } from './policy.ts'
import type { BuiltWheel, Store } from './ports.ts'
import type { Applied, Recipes } from './recipes.ts'
import type { UpstreamPages } from './upstream-pages.ts'
import type { PlanLine } from './views.ts'

/** A release that a file pins on a target; `refusal` says why the file is for no such target at all, `native` that a pure wheel is not enough. */
export interface Asked { pin: Pin; target: Target; file: string; refusal: string | undefined; native?: boolean | undefined }

type Refused = Extract<Verdict, { verdict: 'cannot' }>
type Outcome = { page: ProjectPage | undefined; error: unknown }

/** Makes the lines of one project: its page is read once, and its jobs and wheels, for all its releases and targets. */
export function createPlanLines({ store, recipes, upstreamPages, policy = NO_POLICY }: {
  store: Store
  recipes: Pick<Recipes, 'forProject'>
  upstreamPages: UpstreamPages
  policy?: Pick<Policy, 'permitted'> | undefined
}) {
  return async (project: string, asked: Asked[], images: Map<string, string>): Promise<[Asked, PlanLine][]> => {
    const elsewhere = asked.every(({ pin, refusal }) => pin.elsewhere !== undefined || refusal !== undefined)
    const { page: upstream, error }: Outcome = elsewhere ? { page: undefined, error: undefined } : await fetched(project)
    const [built, jobs, applied] = await Promise.all([store.wheels.wheels(project), store.jobs.list({ project }), recipes.forProject(project)])
    const { page, wheels, held } = await policy.permitted(project, { page: upstream, wheels: built })
    const lines: [Asked, PlanLine][] = []
    for (const each of asked) {
      const image = images.get(each.target.name)
      const recipe = applied(canonicalVersion(each.pin.version), each.target.name)
      const ours = jobs.filter((job) => job.kind !== 'trial' && job.target === each.target.name && job.image === image && job.recipe === recipe.digest)
      const known: Known<BuiltWheel> = { page, wheels, failures: failuresOf(ours), ready: image !== undefined, skip: recipe.recipe.skip, native: each.native }
      const verdict: Verdict<BuiltWheel> = refused(each) ?? withheld(each, page, held) ?? (page || wheels.length > 0 ? undefined : unreachable(error)) ?? decide(each.pin, each.target, known)
      const job = verdict.verdict === 'built' ? await jobOfBuild(verdict.wheel) : jobOf(verdict, ours)
      const history = verdict.verdict === 'would-build' ? await store.jobs.history(project, each.target.name) : []
      lines.push([each, line(each, verdict, job, history, recipe)])
    }
    return lines
  }

  /** The page as fresh as can be had; the upstream's error where there is none. */
  async function fetched(project: string): Promise<Outcome> {
    const error = await upstreamPages.refresh(project).then(() => undefined, (reason: unknown) => reason)
    return { page: (await upstreamPages.read(project))?.page, error }
  }

  async function jobOfBuild({ build }: { build: number }): Promise<number | undefined> {
    return (await store.jobs.build(build))?.job
  }
}

/** The lock's own tool would stop there. */
function refused({ refusal, target }: Asked): Refused | undefined {
  if (refusal === undefined) return undefined
  const reason = { why: `the lock refuses ${target.name}: ${refusal}`, remedy: 'lock again for this target, or leave it out' }
  return { verdict: 'cannot', reason, sdist: undefined, failed: undefined }
}

/** The rules of the server leave no file of the release. */
function withheld({ pin }: Asked, page: ProjectPage | undefined, held: HeldFile[]): Refused | undefined {
  if (pin.elsewhere !== undefined) return undefined
  const key = versionKey(pin.version)
  const one = held.find(({ version }) => version !== undefined && versionKey(version) === key)
  if (!one || filesOfRelease(page?.files ?? [], pin.project, pin.version).length > 0) return undefined
  return { verdict: 'cannot', reason: { why: heldLine(`${pin.project} ${pin.version}`, one), remedy: ERRORS['blocked-by-policy'].remedy }, sdist: undefined, failed: undefined }
}

function unreachable(error: unknown): Refused | undefined {
  if (error === undefined) return undefined
  if (!(error instanceof MuslinError)) throw error
  const { title, remedy } = ERRORS[error.code]
  const why = `${title.charAt(0).toLowerCase()}${title.slice(1)}: ${error.detail}`
  return { verdict: 'cannot', reason: { why, remedy }, sdist: undefined, failed: undefined }
}

/** A metadata job that failed ends the promise too; the build's failure says more. */
function failuresOf(jobs: Job[]): Known['failures'] {
  const remembered = jobs.filter((job) => job.remembered).toSorted((a, b) => Number(a.kind === 'build') - Number(b.kind === 'build'))
  return new Map(remembered.map((job) => [job.sdist.sha256, { job: job.id, failure: job.failure }]))
}

function jobOf(verdict: Verdict, jobs: Job[]): number | undefined {
  if (verdict.verdict === 'cannot') return verdict.failed
  if (verdict.verdict !== 'would-build') return undefined
  const sha256 = sha256Of(verdict.sdist)
  return jobs.find((job) => job.kind === 'build' && job.sdist.sha256 === sha256)?.id
}

function line({ pin, target, file }: Asked, verdict: Verdict<BuiltWheel>, job: number | undefined, history: number[], { recipe }: Applied): PlanLine {
  const reason = verdict.verdict === 'cannot' ? verdict.reason : verdict.verdict === 'upstream-wheel' ? undefined : verdict.note
  const building = verdict.verdict === 'would-build'
  return {
    project: pin.project, version: canonicalVersion(pin.version), target: target.name,
    file, line: pin.line ?? null,
    verdict: verdict.verdict,
    filename: verdict.verdict === 'built' ? verdict.wheel.filename : verdict.verdict === 'cannot' ? null : verdict.filename,
    sdist: verdict.verdict === 'upstream-wheel' ? null : sdistOf(verdict.sdist),
    estimateSeconds: building ? estimateSeconds({ history, sdistBytes: verdict.sdist.size ?? undefined }) : null,
    why: reason?.why ?? null, remedy: reason?.remedy ?? null,
    job: job ?? null,
    runtimeApks: verdict.verdict === 'cannot' ? [] : [...new Set([...verdict.verdict === 'built' ? verdict.wheel.system?.runtime ?? [] : [], ...recipe.runtimeApks])],
  }
}

function sdistOf(file: IndexFile | undefined): PlanLine['sdist'] {
  const sha256 = file && sha256Of(file)
  return sha256 === undefined ? null : { filename: file!.filename, sha256 }
}
