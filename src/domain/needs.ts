/** Build requirements that must be built first: how far that goes, and what it means where it goes no further. */
import { cleanLine } from './clean.ts'
import { FAILURE_CLASSES, type Failure } from './failure.ts'

/** Requirements that one run may have built. Backends ask for a handful. */
export const MOST_NEEDS = 20
/** How often a job may give way to others: an sdist's own code says what it requires, and could want something else each time. */
export const MOST_WAITS = 20
/** How many jobs may wait for one another in a row. scipy, numpy, meson-python and what that needs are four. */
export const LONGEST_CHAIN = 10

/** A release as sentences name it. */
type Release = { project: string; version: string }

/**
 * What the failure of a needed job means for the one that waits for it. Where the machine was at fault it was so for both: the
 * waiting job is tried again as soon as the needed one.
 */
export function failureOfNeed(requirement: string, needed: Release & { id: number; failure: Failure | undefined }): Failure {
  const cause = needed.failure ? FAILURE_CLASSES[needed.failure.class].cause(needed.failure.key) : 'was not built'
  const key = cleanLine(`${requirement} (${nameOf(needed)} ${cause})`)
  return needed.failure?.class === 'infrastructure'
    ? { class: 'infrastructure', key: cleanLine(`its build requirement ${key}`), job: needed.id }
    : { class: 'build-requirement-unbuildable', key, job: needed.id }
}

/** `circle`: the releases that need one another, from the one that would close it back to itself. */
export function circleFailure(requirement: string, circle: Release[]): Failure {
  return refusal(requirement, `${circle.map(nameOf).join(' needs ')}: a circle`)
}

/** The needed job succeeded before the run began that misses its wheel. */
export function unmetFailure(requirement: string, needed: Release & { id: number }): Failure {
  return { ...refusal(requirement, `the wheel of ${nameOf(needed)} is there, and does not serve`), job: needed.id }
}

/** No release can be built for this requirement. */
export function noReleaseFailure(requirement: string): Failure {
  return { class: 'build-requirement-unbuildable', key: cleanLine(requirement) }
}

/** Of the bounds above one is reached. */
export function boundFailure(requirement: string, bound: 'needs' | 'waits' | 'chain'): Failure {
  return refusal(requirement, {
    needs: `more than ${MOST_NEEDS} of them would have to be built`,
    waits: `it waited ${MOST_WAITS} times already, each time for another one`,
    chain: `more than ${LONGEST_CHAIN} builds would wait for one another`,
  }[bound])
}

function refusal(requirement: string, why: string): Failure {
  return { class: 'build-requirement-unbuildable', key: cleanLine(`${requirement} (${why})`) }
}

function nameOf({ project, version }: Release): string {
  return `${project} ${version}`
}
