/** Patterns of project names, as settings of upstreams have them: `company-*`. */
import { namesProject, parsePattern } from './pattern.ts'

/** Whether a normalised name fits one of the patterns. A `*` stands for any characters, none too; spelling counts as little as in names (PEP 503). */
export function nameMatcher(patterns: string[]): (project: string) => boolean {
  const parsed = patterns.flatMap((pattern) => parsePattern(pattern) ?? [])
  return (project) => parsed.some((pattern) => namesProject(pattern, project))
}

/** Whether a text is such a pattern: a name, of all its releases. */
export function isNamePattern(text: string): boolean {
  return /^[a-z0-9*]/i.test(text) && !/[=!~<>]/.test(text) && parsePattern(text) !== undefined
}
