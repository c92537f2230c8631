/** Requirements in core metadata: PEP 508. */
import { parseMarker, type Chain, type Side } from './marker-grammar.ts'
import { normalizeName } from './names.ts'
import { parseSpecifiers } from './specifier.ts'

/** Longer than any real one. */
const LONGEST = 2000

/**
 * One spelling for the requirements that pip takes for equal when it compares two METADATA files: names, extras, order, spacing and
 * quotes are normalised, meaning is not (`>=1` is not `>=1.0`). Undefined where the text is no requirement.
 */
export function canonicalRequirement(text: string): string | undefined {
  if (text.length > LONGEST) return undefined
  const [, name, extras, rest] = /^\s*([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(.*)$/is.exec(text) ?? []
  if (name === undefined || rest === undefined) return undefined
  // In a direct reference a semicolon belongs to the URL unless white space stands before it.
  const [, what = '', marker] = (rest.startsWith('@') ? /^(@\s*\S*.*?)(?:\s;(.*))?$/s : /^([^;]*)(?:;(.*))?$/s).exec(rest) ?? []
  const version = what.startsWith('@') ? ` @ ${what.slice(1).trim()}` : canonicalList(what)
  const condition = marker === undefined ? '' : canonicalMarker(marker)
  if (version === undefined || condition === undefined) return undefined
  return normalizeName(name) + canonicalExtras(extras ?? '') + version + (condition && `; ${condition}`)
}

function canonicalExtras(text: string): string {
  const extras = text.split(',').map((extra) => normalizeName(extra.trim())).filter(Boolean)
  return extras.length ? `[${[...new Set(extras)].sort().join(',')}]` : ''
}

function canonicalList(text: string): string | undefined {
  const inner = /^\s*\((.*)\)\s*$/s.exec(text)?.[1] ?? text
  const set = parseSpecifiers(inner)
  return set && [...new Set(set.map(({ operator, text }) => operator + text))].sort().join(',')
}

function canonicalMarker(text: string): string | undefined {
  const chain = parseMarker(text)
  return chain && formatChain(chain, true)
}

function formatChain(chain: Chain, outermost: boolean): string {
  const [only] = chain
  if (chain.length === 1 && Array.isArray(only)) return formatChain(only, outermost)
  const text = chain.map(formatPart).join(' ')
  return outermost || chain.length === 1 ? text : `(${text})`
}

function formatPart(part: Chain[number]): string {
  if (typeof part === 'string') return part
  if (Array.isArray(part)) return formatChain(part, false)
  return `${formatSide(part.left, part.right)} ${part.operator} ${formatSide(part.right, part.left)}`
}

function formatSide(side: Side, other: Side): string {
  if ('variable' in side) return side.variable
  return `"${'variable' in other && other.variable === 'extra' ? normalizeName(side.value) : side.value}"`
}
