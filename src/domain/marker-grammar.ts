/** The grammar of environment markers: PEP 508 "Environment Markers", with the variables of PEP 751 and the older names that `packaging` reads. */

export type Side = { variable: string } | { value: string }

export interface Comparison { left: Side; operator: string; right: Side }

/** Comparisons with `and` and `or` between them, as flat as they were written; inner chains stood in parentheses. */
export type Chain = (Comparison | 'and' | 'or' | Chain)[]

/** Lockers write long ones where a project has many forks; no real one comes near. */
const LONGEST = 100_000
/** Parentheses without end would exhaust the stack. */
const DEEPEST = 500

/** The marker's parts; undefined where the text is no marker. */
export function parseMarker(text: string): Chain | undefined {
  if (text.length > LONGEST) return undefined
  const words = text.match(/[()]|"[^"]*"|'[^']*'|not\s+in\b|[a-z_][a-z0-9_.]*|[<>=!~]+|\S/gi) ?? []
  const reader = { words, at: 0, depth: 0 }
  const chain = readChain(reader)
  return reader.at === words.length ? chain : undefined
}

interface Reader { words: string[]; at: number; depth: number }

function readChain(reader: Reader): Chain | undefined {
  const chain: Chain = []
  for (;;) {
    const atom = reader.words[reader.at] === '(' ? readInner(reader) : readComparison(reader)
    if (atom === undefined) return undefined
    chain.push(atom)
    const joint = reader.words[reader.at]
    if (joint !== 'and' && joint !== 'or') return chain
    chain.push(joint)
    reader.at += 1
  }
}

function readInner(reader: Reader): Chain | undefined {
  reader.at += 1
  reader.depth += 1
  const chain = reader.depth > DEEPEST ? undefined : readChain(reader)
  reader.depth -= 1
  return reader.words[reader.at++] === ')' ? chain : undefined
}

function readComparison(reader: Reader): Comparison | undefined {
  const [left = '', operator = '', right = ''] = reader.words.slice(reader.at, reader.at + 3)
  reader.at += 3
  if (!/^(?:===?|~=|!=|[<>]=?|in|not\s+in)$/.test(operator)) return undefined
  const sides = [side(left), side(right)] as const
  return sides[0] && sides[1] && { left: sides[0], operator: operator.replace(/\s+/, ' '), right: sides[1] }
}

const VARIABLES = [
  'python_version', 'python_full_version', 'os_name', 'sys_platform', 'platform_release', 'platform_system', 'platform_version',
  'platform_machine', 'platform_python_implementation', 'implementation_name', 'implementation_version', 'extra', 'extras', 'dependency_groups',
]

/** Names of variables that came before PEP 508. */
const ALIASES: Record<string, string> = {
  'os.name': 'os_name',
  'sys.platform': 'sys_platform',
  'platform.version': 'platform_version',
  'platform.machine': 'platform_machine',
  'platform.python_implementation': 'platform_python_implementation',
  'python_implementation': 'platform_python_implementation',
}

function side(word: string): Side | undefined {
  if (/^["']/.test(word)) return { value: word.slice(1, -1) }
  const variable = Object.hasOwn(ALIASES, word) ? ALIASES[word]! : word
  return VARIABLES.includes(variable) ? { variable } : undefined
}
