/** Who is asking, as far as a User-Agent tells. It is a stranger's text: read leniently, and trusted for what to list and how to hold alone. */
import type { Target } from './target.ts'

const TOOLS = ['pip', 'uv', 'poetry', 'pdm', 'twine'] as const

export interface Client {
  tool: (typeof TOOLS)[number] | 'browser' | 'other'
  version: string | undefined
  /** As uv tells it: `['pip', 'install']`. */
  subcommand: string[]
  /** Set where the client runs on CPython and musl: `cp313`, the CPU, and the newest musl level that it takes. */
  musl: { python: string; cpu: string; musl: { major: number; minor: number } } | undefined
  /** Whether it installs: pip (which does not tell), or uv with one of the commands that do and write no lock. */
  installs: boolean
  /** pip as our own builds run it: what it is served is no installer's download. */
  own: boolean
}

/** What our own builds' pip says of itself, by PIP_USER_AGENT_USER_DATA. */
export const OWN_USER_DATA = 'muslin-builder'

/** pip's text is under 1 kB; its free `user_data` may be anything. */
const LONGEST = 4096

/** `uvx` is told apart from the `uv tool run` that it stands for. */
const INSTALLING = ['pip install', 'tool install', 'tool run', 'uvx', 'run']

/** The client behind a User-Agent header. Never throws; what cannot be read is left out. */
export function parseUserAgent(header: string | undefined): Client {
  const text = (header ?? '').slice(0, LONGEST)
  const [, product = '', version] = /^([A-Za-z][\w.-]*)\/(\S{1,64})/.exec(text) ?? []
  const tool = product === 'Mozilla' ? 'browser' : TOOLS.find((name) => name === product.toLowerCase()) ?? 'other'
  const told = tool === 'pip' || tool === 'uv' ? tellings(text) : {}
  const subcommand = commands(field(told, 'installer', 'subcommand'))
  return {
    tool,
    version,
    subcommand,
    musl: tool === 'pip' || tool === 'uv' ? muslOf(told, tool) : undefined,
    installs: tool === 'pip' || (tool === 'uv' && INSTALLING.includes(subcommand.join(' '))),
    own: tool === 'pip' && field(told, 'user_data') === OWN_USER_DATA,
  }
}

/** The configured target whose wheels this client takes, the one with the newest musl level; undefined where there is none. */
export function targetOf(client: Client, targets: Target[]): Target | undefined {
  const { musl } = client
  if (!musl) return undefined
  return targets
    .filter((target) => target.python === musl.python && target.cpu === musl.cpu)
    .filter((target) => target.musl.major === musl.musl.major && target.musl.minor <= musl.musl.minor)
    .toSorted((a, b) => b.musl.minor - a.musl.minor)[0]
}

/**
 * pip 22.3 drops the digests of JSON pages, so that a lock's hashes choose no file: of two builds of a wheel it takes the wrong one, and stops.
 * In HTML they are part of the URL.
 */
export function losesHashes({ tool, version }: Client): boolean {
  return tool === 'pip' && /^22\.3(?:\.|$)/.test(version ?? '')
}

/**
 * What it is told of METADATA apart from wheels. `announced`: each of the upstream's wheels has it, since pip and uv ask for it and save whole
 * wheels. `withheld`: pip 22.3 passes over a wheel whose METADATA writes the project's name otherwise than the requirement does (MarkupSafe,
 * markupsafe), and compiles the sdist. Everybody else sees what the upstream says (undefined).
 */
export function metadataFor(client: Client): 'announced' | 'withheld' | undefined {
  if (losesHashes(client)) return 'withheld'
  return client.tool === 'pip' || client.tool === 'uv' ? 'announced' : undefined
}

/**
 * Whether it goes on with another release where METADATA cannot be parsed, as it does where a wheel cannot be read; a 404 ends it. pip is
 * ended by the wheel too.
 */
export function passesOverBadMetadata({ tool }: Client): boolean {
  return tool === 'uv'
}

/**
 * pip, poetry and pdm take an sdist before a yanked wheel, even where a lock has the hashes of both. pip and poetry order wheels of one release
 * by the build number in the name (PEP 427), and pdm as the page does, which has the newest first: an older build need not be yanked for the
 * newest to be taken.
 */
export function sortsYankedLast({ tool }: Client): boolean {
  return tool === 'pip' || tool === 'poetry' || tool === 'pdm'
}

/** The JSON behind the product; pip and uv write the same shape. */
function tellings(text: string): unknown {
  const start = text.indexOf('{')
  if (start < 0) return {}
  try {
    return JSON.parse(text.slice(start))
  } catch {
    return {}
  }
}

function muslOf(told: unknown, tool: 'pip' | 'uv'): Client['musl'] {
  const python = /^3\.([0-9]{1,2})(?![0-9])/.exec(string(field(told, 'python')))
  const cpu = string(field(told, 'cpu'))
  if (!python || field(told, 'implementation', 'name') !== 'CPython' || field(told, 'system', 'name') !== 'Linux') return undefined
  if (!/^[a-z][a-z0-9_]{1,31}$/.test(cpu)) return undefined
  const musl = tool === 'uv' ? toldLevel(told) : guessedLevel(told)
  return musl && { python: `cp3${Number(python[1])}`, cpu, musl }
}

/** uv tells the interpreter's libc. */
function toldLevel(told: unknown): { major: number; minor: number } | undefined {
  if (field(told, 'distro', 'libc', 'lib') !== 'musl') return undefined
  const level = /^([0-9]{1,2})\.([0-9]{1,2})(?![0-9])/.exec(string(field(told, 'distro', 'libc', 'version')))
  return level ? { major: Number(level[1]), minor: Number(level[2]) } : undefined
}

/**
 * pip tells a libc only where it is glibc, so its absence on Linux is musl. Alpine came to musl 1.2 with its 3.13; a distribution
 * whose level is unknown is taken for a recent one, since a wheel that does not fit is passed over by pip itself.
 */
function guessedLevel(told: unknown): { major: number; minor: number } | undefined {
  if (field(told, 'distro', 'libc')) return undefined
  const alpine = /^alpine/i.test(string(field(told, 'distro', 'name')))
  const release = /^3\.([0-9]{1,2})(?![0-9])/.exec(string(field(told, 'distro', 'version')))
  return { major: 1, minor: alpine && release && Number(release[1]) < 13 ? 1 : 2 }
}

function commands(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string').slice(0, 8) : []
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function field(value: unknown, ...path: string[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found
}
