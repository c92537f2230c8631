/** Patterns of project names, as settings have them: `company-*`. */
import { normalizeName } from './names.ts'

/** Whether a normalised name fits one of the patterns. A `*` stands for any characters, none too; spelling counts as little as in names (PEP 503). */
export function nameMatcher(patterns: string[]): (project: string) => boolean {
  const plain = new Set(patterns.map(normalizeName).filter((pattern) => !pattern.includes('*')))
  const globs = patterns.map(normalizeName).filter((pattern) => pattern.includes('*')).map((pattern) => pattern.split('*'))
  return (project) => plain.has(project) || globs.some((parts) => fits(project, parts))
}

/** Each part as early as it can be found: no way back is ever needed. */
function fits(name: string, parts: string[]): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop() ?? ''
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}
