/** Requirements in core metadata: PEP 508. */
import { normalizeName } from './names.ts'
import { parseSpecifiers } from './specifier.ts'

/** Longer than any real one; nested parentheses without end would exhaust the stack. */
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

/** A chain of comparisons with `and` and `or` between them, as flat as it was written; inner chains stood in parentheses. */
type Chain = (string | Chain)[]

function canonicalMarker(text: string): string | undefined {
  const words = text.match(/[()]|"[^"]*"|'[^']*'|not\s+in\b|[a-z_][a-z0-9_.]*|[<>=!~]+|\S/gi) ?? []
  const chain = readChain(words)
  return chain && words.length === 0 ? formatChain(chain, true) : undefined
}

/** Takes its words from the front. */
function readChain(words: string[]): Chain | undefined {
  const chain: Chain = []
  for (;;) {
    const atom = words[0] === '(' ? readInner(words) : readComparison(words)
    if (atom === undefined) return undefined
    chain.push(atom)
    if (words[0] !== 'and' && words[0] !== 'or') return chain
    chain.push(words.shift()!)
  }
}

function readInner(words: string[]): Chain | undefined {
  words.shift()
  const chain = readChain(words)
  return words.shift() === ')' ? chain : undefined
}

function readComparison(words: string[]): string | undefined {
  const [left = '', operator = '', right = ''] = words.splice(0, 3)
  if (!/^(?:===?|~=|!=|[<>]=?|in|not\s+in)$/.test(operator)) return undefined
  const sides = [canonicalSide(left, right), canonicalSide(right, left)]
  return sides.includes(undefined) ? undefined : `${sides[0]} ${operator.replace(/\s+/, ' ')} ${sides[1]}`
}

const VARIABLES = [
  'python_version', 'python_full_version', 'os_name', 'sys_platform', 'platform_release', 'platform_system', 'platform_version',
  'platform_machine', 'platform_python_implementation', 'implementation_name', 'implementation_version', 'extra',
]

/** Names of variables that came before PEP 508 and that `packaging` still reads. */
const ALIASES: Record<string, string> = {
  'os.name': 'os_name',
  'sys.platform': 'sys_platform',
  'platform.version': 'platform_version',
  'platform.machine': 'platform_machine',
  'platform.python_implementation': 'platform_python_implementation',
  'python_implementation': 'platform_python_implementation',
}

function canonicalSide(side: string, other: string): string | undefined {
  if (/^["']/.test(side)) {
    const value = side.slice(1, -1)
    return `"${other === 'extra' ? normalizeName(value) : value}"`
  }
  const variable = Object.hasOwn(ALIASES, side) ? ALIASES[side]! : side
  return VARIABLES.includes(variable) ? variable : undefined
}

function formatChain(chain: Chain, outermost: boolean): string {
  const [only] = chain
  if (chain.length === 1 && only !== undefined) return typeof only === 'string' ? only : formatChain(only, outermost)
  const text = chain.map((part) => typeof part === 'string' ? part : formatChain(part, false)).join(' ')
  return outermost ? text : `(${text})`
}
