/** Environment markers: whether they hold. */
import { parseMarker, type Chain, type Comparison, type Side } from './marker-grammar.ts'
import type { MarkerEnvironment } from './marker-environment.ts'
import { normalizeName } from './names.ts'
import { parseSpecifiers, satisfies } from './specifier.ts'
import { parseVersion } from './version.ts'

/**
 * Whether the marker holds in the environment, where these extras and dependency groups are asked for; undefined where it is
 * malformed or compares what has no order, which `packaging` answers with an error.
 */
export function evaluateMarker(text: string, environment: MarkerEnvironment, extras: string[] = [], groups: string[] = []): boolean | undefined {
  const chain = parseMarker(text)
  return chain && chainHolds(chain, { ...environment, extra: names(extras), extras: names(extras), dependency_groups: names(groups) })
}

type Values = MarkerEnvironment & Record<'extra' | 'extras' | 'dependency_groups', string[]>

function names(given: string[]): string[] {
  return given.map(normalizeName)
}

/** `and` binds closer than `or`. */
function chainHolds(chain: Chain, values: Values): boolean | undefined {
  const groups: (boolean | undefined)[][] = [[]]
  for (const part of chain) {
    if (part === 'or') groups.push([])
    else if (part !== 'and') groups.at(-1)!.push(Array.isArray(part) ? chainHolds(part, values) : holds(part, values))
  }
  if (groups.flat().includes(undefined)) return undefined
  return groups.some((group) => group.every(Boolean))
}

function holds({ left, operator, right }: Comparison, values: Values): boolean | undefined {
  if (!('variable' in left) && !('variable' in right)) return undefined
  const [a, b] = [valueOf(left, values), valueOf(right, values)]
  if (typeof a === 'string' && typeof b === 'string') return compare(a, operator, b)
  const text = typeof a === 'string' ? a : b
  const set = typeof a === 'string' ? b : a
  if (typeof text !== 'string' || typeof set === 'string') return undefined
  const [named] = [left, right].flatMap((side) => 'variable' in side ? [side.variable] : [])
  return contains(named === 'extra', set, operator, normalizeName(text))
}

function valueOf(side: Side, values: Values): string | string[] {
  return 'value' in side ? side.value : values[side.variable as keyof Values]
}

/** `extra == "x"` asks for one of those asked for (PEP 508), `"x" in extras` for the same in lock files (PEP 751). */
function contains(single: boolean, set: string[], operator: string, name: string): boolean | undefined {
  if (operator === (single ? '==' : 'in')) return set.includes(name)
  if (operator === (single ? '!=' : 'not in')) return !set.includes(name)
  return undefined
}

/** As versions where the right side is one, behind an operator of PEP 440; else as Python compares texts. */
function compare(left: string, operator: string, right: string): boolean | undefined {
  if (operator === 'in') return right.includes(left)
  if (operator === 'not in') return !right.includes(left)
  const specifiers = right.includes(',') ? undefined : parseSpecifiers(operator + right)
  const version = parseVersion(left)
  if (specifiers?.length === 1 && version) return satisfies(specifiers, version, { prereleases: true })
  switch (operator) {
    case '==': case '===': return left === right
    case '!=': return left !== right
    case '<': return left < right
    case '<=': return left <= right
    case '>': return left > right
    case '>=': return left >= right
    default: return undefined
  }
}
