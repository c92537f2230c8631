import { newestBuildable, splitRequirement } from '../domain/buildable.ts'
import type { Failure } from '../domain/failure.ts'
import type { Job } from '../domain/job.ts'
import { normalizeName } from '../domain/names.ts'
import { noReleaseFailure } from '../domain/needs.ts'
import { requirementLine } from '../domain/requirement-line.ts'
import { parseTarget } from '../domain/target.ts'
import type { Unmet } from './ports.ts'
import type { Recipes } from './recipes.ts'
import type { UpstreamPages } from './upstream-pages.ts'

/**
 * What is to be built for build requirements that have no wheel: of each the newest release that satisfies it, under the constraints of
 * the waiting job's recipe. The failure of the job where there is none. Throws what asking the upstream throws.
 */
export type FindNeeds = (job: Pick<Job, 'target' | 'image'>, requirements: string[], constraints: string[]) => Promise<Unmet['needs'] | { failure: Failure }>

export function createFindNeeds({ upstreamPages, recipes }: { upstreamPages: UpstreamPages; recipes: Pick<Recipes, 'forProject'> }): FindNeeds {
  return async ({ target: name, image }, requirements, constraints) => {
    const target = parseTarget(name)
    if (!target) throw new Error(`${name} is no target`)
    const limits = constraints.flatMap((text) => parse(text) ?? [])
    const needs: Unmet['needs'] = []
    for (const text of requirements) {
      const wanted = parse(text)
      if (!wanted) return { failure: noReleaseFailure(text) }
      const { project, line } = wanted
      const specifiers = [...wanted.specifiers, ...limits.filter((limit) => limit.project === project).flatMap((limit) => limit.specifiers)]
      await upstreamPages.refresh(project)
      const kept = await upstreamPages.read(project)
      const release = kept && newestBuildable(kept.page, specifiers, target)
      if (!release) return { failure: noReleaseFailure(line) }
      const { digest } = (await recipes.forProject(project))(release.version, name)
      needs.push({ requirement: line, wish: { kind: 'build', project, ...release, target: name, recipe: digest, image } })
    }
    return needs
  }
}

/** `line`: without its marker, which has held. */
function parse(text: string) {
  const line = requirementLine(text)?.split(';')[0]!.trim()
  const split = line === undefined ? undefined : splitRequirement(line)
  return split && { project: normalizeName(split.name), specifiers: split.specifiers, line: line! }
}
