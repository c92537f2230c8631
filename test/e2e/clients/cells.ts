/** The client matrix: who waits for what, by which way, and how that must end. `test/e2e/clients.toml` holds it. */
import { parse } from 'smol-toml'
import { z } from 'zod'

export const CLIENTS = ['pip-23.2', 'pip', 'uv', 'poetry', 'pdm', 'pipenv'] as const
export const BUILDS = ['3 s', '45 s', '150 s', 'fails', 'outlasts'] as const
export const WAYS = ['direct', 'nginx', 'nginx-1.1'] as const
export const VIEWS = ['/simple/', '/target/', '/finished/simple/'] as const
export const MOVES = ['100s', '307', '503'] as const

/** How long each build sleeps, in seconds. The one that fails does so behind the first hold of most; the last one is longer than `HOLD_LIMIT`. */
export const SLEEPS = { '3 s': 3, '45 s': 45, '150 s': 150, 'fails': 20, 'outlasts': 110 } as const
/** The setting `holdLimit` of the cells that are outlasted, seconds. */
export const HOLD_LIMIT = 100
/** The header that a build lacks which fails. No apk has it. */
export const ABSENT = 'muslin_absent.h'

export type Client = (typeof CLIENTS)[number]
export type Move = (typeof MOVES)[number]

const Row = z.strictObject({
  client: z.enum(CLIENTS),
  build: z.enum(BUILDS),
  way: z.enum(WAYS),
  view: z.enum(VIEWS),
  /** `installed`: our wheel; `compiled`: the sdist, by the client itself. */
  ends: z.enum(['installed', 'compiled', 'nothing']),
  exit: z.int().min(0),
  /** `cause`: the failure and a link to its log; `still`: that the build goes on, and a link. */
  says: z.enum(['cause', 'still', 'nothing']),
  /** Builds in the jobs table. */
  builds: z.int().min(0).max(1),
  /** How the client is held: always, and where the build takes longer than it sleeps. */
  moves: z.array(z.enum(MOVES)),
  maybe: z.array(z.enum(MOVES)).default([]),
  /** Seconds after which a held request is given its move. */
  held: z.int().min(0),
  /** Requests for the wheel, at least and at most. */
  requests: z.tuple([z.int().min(0), z.int().min(0)]),
  /** Among the few that every change is tested with. */
  slice: z.literal(true).optional(),
  why: z.string().optional(),
})

export type Cell = z.infer<typeof Row>

/** Parses the file's text. Throws where a row is wrong, contradicts itself, or stands twice. */
export function readCells(text: string): Cell[] {
  const { cells } = z.strictObject({ cells: z.array(Row) }).parse(parse(text))
  const seen = new Set<string>()
  for (const cell of cells) {
    const name = nameOf(cell)
    if (seen.has(name)) throw new Error(`${name} stands twice`)
    seen.add(name)
    if ((cell.exit === 0) !== (cell.ends !== 'nothing')) throw new Error(`${name} ends with ${cell.exit} and ${cell.ends}`)
    if ((cell.requests[1] === 0) !== (cell.view === '/finished/simple/')) throw new Error(`${name}: the finished view, and it alone, holds nobody`)
    if (cell.says === 'nothing' && cell.exit !== 0 && cell.why === undefined) throw new Error(`${name} fails without a word: it must say why`)
  }
  return cells
}

/** Tells a cell from all others: `uv 45 s nginx`. */
export function nameOf({ client, build, way }: Pick<Cell, 'client' | 'build' | 'way'>): string {
  return `${client} ${build} ${way}`
}

/** Each cell asks for a project of its own, so that its build is nobody else's. */
export function projectOf(cell: Cell): string {
  return `waits-${nameOf(cell).replace(/[^a-z0-9]+/g, '-')}`
}

/** What the matrix as a whole lacks; nothing where it is complete, and its slice tells something of all. */
export function shortcomings(cells: Cell[]): string[] {
  const all = CLIENTS.flatMap((client) => BUILDS.flatMap((build) => WAYS.map((way) => nameOf({ client, build, way }))))
  const names = cells.map(nameOf)
  const slice = cells.filter((cell) => cell.slice)
  // Who never waits tells nothing of waiting.
  const held = slice.filter(({ requests }) => requests[1] > 0)
  return [
    ...all.filter((name) => !names.includes(name)).map((name) => `no ${name}`),
    ...CLIENTS.filter((client) => !slice.some((cell) => cell.client === client)).map((client) => `no ${client} in the slice`),
    ...BUILDS.filter((build) => !held.some((cell) => cell.build === build)).map((build) => `nobody waits for ${build} in the slice`),
    ...WAYS.filter((way) => !held.some((cell) => cell.way === way)).map((way) => `nobody waits by ${way} in the slice`),
    ...MOVES.filter((move) => !slice.some((cell) => cell.moves.includes(move))).map((move) => `nobody is held by ${move} in the slice`),
    ...slice.length > 16 ? [`in the slice: ${slice.length}, at most 16`] : [],
  ]
}
