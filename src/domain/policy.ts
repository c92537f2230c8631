/** Which files of a project are served: the rules of the whole server, and those of a view. */
import { sha256Of } from './digest.ts'
import { parseSdistFilename, parseWheelFilename } from './filename.ts'
import type { WheelEntry } from './merge.ts'
import { parseMoment } from './moment.ts'
import { otherOwner } from './owner.ts'
import type { IndexFile, ProjectPage } from './page.ts'
import { namesProject, namesVersion, type Pattern } from './pattern.ts'
import { parseVersion, versionKey } from './version.ts'

/** Plain data, so that it can be sent to another thread. Times are milliseconds. */
export interface PolicyRules {
  /** What stands before the names of its settings where people are told of them: nothing, or `views.NAME.`. */
  of: string
  /** Only what one of these names, and nothing where there are none; undefined: everything. */
  allow: Pattern[] | undefined
  /** What one of these names is held back, whatever allows it. */
  deny: Pattern[]
  /** How old a file must be; 0: any. One whose upload-time nobody knows is as old as we have known it. */
  cooldown: number
  /** What these name has no cooldown. */
  exempt: Pattern[]
  /** What was uploaded later is left out, and what nobody knows of when it was. */
  before: number | undefined
}

export const NO_RULES: PolicyRules = { of: '', allow: undefined, deny: [], cooldown: 0, exempt: [], before: undefined }

/** Why a file is held back. `setting`: by its full name; `until`: when it no longer will be, where time alone decides. */
export interface Held { by: 'allow' | 'deny' | 'cooldown' | 'before'; setting: string; pattern?: string; cooldown?: number; until?: number }

/** When a file was uploaded, as its page told, and first seen here. */
export interface FileAge { uploadedAt: number | undefined; seenAt: number | undefined }

/** A file that is judged. `project` is normalised; `version` undefined: nobody can tell. */
export interface FileFacts extends FileAge { project: string; version: string | undefined }

/** Whether rules change nothing at all. */
export function areEmpty({ allow, deny, cooldown, before }: PolicyRules): boolean {
  return allow === undefined && deny.length === 0 && cooldown === 0 && before === undefined
}

/** Why nothing of a project is ever served; undefined where something of it may be. */
export function projectVerdict(project: string, { of, allow, deny }: PolicyRules): Held | undefined {
  const denied = deny.find((pattern) => pattern.specifiers.length === 0 && namesProject(pattern, project))
  if (denied) return { by: 'deny', setting: `${of}deny`, pattern: denied.text }
  return allow && !allow.some((pattern) => namesProject(pattern, project)) ? { by: 'allow', setting: `${of}allow` } : undefined
}

/** Why a file is held back at `now`; undefined where it is not. What cannot be known counts against the file. */
export function fileVerdict(file: FileFacts, rules: PolicyRules, now: number): Held | undefined {
  const { of, allow, deny, cooldown, exempt, before } = rules
  const version = file.version === undefined ? undefined : parseVersion(file.version)
  const named = (pattern: Pattern) => namesProject(pattern, file.project)
  const denied = deny.find((pattern) => named(pattern) && namesVersion(pattern, version) !== false)
  if (denied) return { by: 'deny', setting: `${of}deny`, pattern: denied.text }
  const includes = (patterns: Pattern[]) => patterns.some((pattern) => named(pattern) && namesVersion(pattern, version) === true)
  if (allow && !includes(allow)) return { by: 'allow', setting: `${of}allow` }
  if (before !== undefined && !(file.uploadedAt !== undefined && file.uploadedAt <= before)) return { by: 'before', setting: `${of}before` }
  if (cooldown === 0 || includes(exempt)) return undefined
  const since = file.uploadedAt ?? file.seenAt
  if (since !== undefined && since + cooldown <= now) return undefined
  return { by: 'cooldown', setting: `${of}cooldown`, cooldown, ...since !== undefined && { until: since + cooldown } }
}

export interface Filtered { page: ProjectPage; until: number; held: HeldFile[] }

export type HeldFile = Held & { filename: string; version: string | undefined }

/** What is known of files by their sha256, where the page does not tell: of those without upload-time, and of sdists that it lists no more. */
export type Ages = ReadonlyMap<string, FileAge>

/** Real names have fewer dashes, and versions fewer words. A page is a stranger's text: each name costs so much and no more. */
const MOST_PARTS = 12
const WORD = /[^a-z0-9]*[a-z0-9]+/iy

const UNKNOWN: FileAge = { uploadedAt: undefined, seenAt: undefined }

/**
 * The page without the files that one of the rules holds back; the page itself where that is none. `versions` are then those that still
 * have a file (PEP 700). `until`: when the result next changes by itself, Infinity: never.
 */
export function filterPage(input: { project: string; page: ProjectPage; rules: readonly PolicyRules[]; ages: Ages; now: number }): Filtered {
  const { project, page, ages, now } = input
  const rules = input.rules.flatMap((each) => narrowed(each, project) ?? [])
  const others = input.rules.length > 0 && page.files.some(({ filename }) => otherOwner(filename, project) !== undefined)
  if (rules.length === 0 && !others) return { page, until: Infinity, held: [] }
  // Pages have thousands of files, and most rules ask for no version.
  const versioned = rules.some(({ allow, deny, exempt }) => [...allow ?? [], ...deny, ...exempt].some(({ specifiers }) => specifiers.length > 0))
  const held: HeldFile[] = []
  const files = page.files.filter((file) => {
    const version = versioned ? versionOf(file.filename, project) : undefined
    const age = ageOf(file, ages)
    const other = others ? otherOwner(file.filename, project) : undefined
    const verdict = firstOf(rules, { project, version, ...age }, now)
      ?? (other === undefined ? undefined : firstOf(input.rules, { project: other, version: versionOf(file.filename, other), ...age }, now))
    if (verdict) held.push({ ...verdict, filename: file.filename, version: version ?? versionOf(file.filename, project) })
    return !verdict
  })
  const dated = rules.some(({ before }) => before !== undefined)
  const filtered = held.length === 0 && !dated ? page : { ...page, files, ...page.versions && { versions: withFiles(page.versions, files, project) } }
  return { page: filtered, until: nextOf(held), held }
}

/**
 * The wheels of ours that the rules let be served. Each shares the fate of its sdist, and is as old, where there is a date by its own
 * account too; of one whose sdist nobody knows any more counts when it was published.
 */
export function filterWheels<W extends WheelEntry>(input: {
  project: string
  page: ProjectPage | undefined
  wheels: W[]
  rules: readonly PolicyRules[]
  ages: Ages
  now: number
}): { wheels: W[]; until: number } {
  const { project, page, wheels, rules, ages, now } = input
  const sdists = new Map(wheels.length === 0 ? [] : page?.files.map((file) => [sha256Of(file), file] as const))
  const dated = rules.some(({ before }) => before !== undefined)
  const held: Held[] = []
  const kept = wheels.flatMap((wheel) => {
    const sdist = sdists.get(wheel.sdist)
    const age = sdist ? ageOf(sdist, ages) : ages.get(wheel.sdist) ?? { uploadedAt: wheel.publishedAt, seenAt: undefined }
    const verdict = firstOf(rules, { project, version: wheel.version, ...age }, now)
    if (verdict) held.push(verdict)
    return verdict ? [] : [dated ? { ...wheel, publishedAt: age.uploadedAt ?? wheel.publishedAt } : wheel]
  })
  return { wheels: kept, until: nextOf(held) }
}

/** The version in a file's name; undefined where it is neither wheel nor sdist of the project. */
export function versionOf(filename: string, project: string): string | undefined {
  return parseWheelFilename(filename)?.version ?? parseSdistFilename(filename, project)?.version
}

/** The rules with the patterns that name the project alone; undefined where they hold back nothing of it. */
function narrowed(rules: PolicyRules, project: string): PolicyRules | undefined {
  const named = (patterns: Pattern[]) => patterns.filter((pattern) => namesProject(pattern, project))
  const whole = (patterns: Pattern[]) => patterns.some(({ specifiers }) => specifiers.length === 0)
  const [allow, deny, exempt] = [rules.allow && named(rules.allow), named(rules.deny), named(rules.exempt)]
  const narrow = { ...rules, deny, exempt, allow: allow && whole(allow) ? undefined : allow, cooldown: whole(exempt) ? 0 : rules.cooldown }
  return areEmpty(narrow) ? undefined : narrow
}

function firstOf(rules: readonly PolicyRules[], file: FileFacts, now: number): Held | undefined {
  for (const each of rules) {
    const verdict = fileVerdict(file, each, now)
    if (verdict) return verdict
  }
  return undefined
}

function ageOf(file: IndexFile, ages: Ages): FileAge {
  const uploadedAt = uploadTimeOf(file)
  return uploadedAt === undefined ? ages.get(sha256Of(file) ?? '') ?? UNKNOWN : { uploadedAt, seenAt: undefined }
}

/** When the page says that the file was uploaded (PEP 700), in milliseconds since 1970; undefined where it says nothing that is a moment. */
export function uploadTimeOf(file: IndexFile): number | undefined {
  const told: unknown = file['upload-time']
  return typeof told === 'string' ? parseMoment(told) : undefined
}

/** One that no name tells apart, such as those of eggs and installers, keeps the versions that its name may be of. */
function withFiles(versions: string[], files: IndexFile[], project: string): string[] {
  const listed = new Set(versions)
  const written = new Set<string>()
  const possible = new Set<string>()
  for (const { filename } of files) {
    const version = versionOf(filename, project)
    if (version !== undefined) written.add(version)
    else for (const part of partsOf(filename)) if (listed.has(part)) possible.add(part)
  }
  const known = new Set([...written].map(versionKey))
  return versions.filter((version) => possible.has(version) || known.has(versionKey(version)))
}

/** What stands between a dash of a file's name and where a word of it ends: `1`, `1.0` and more in `a-1.0.win32.exe`. */
function* partsOf(filename: string): Generator<string> {
  let from = filename.indexOf('-') + 1
  for (let starts = 0; from > 0 && starts < MOST_PARTS; starts += 1) {
    WORD.lastIndex = from
    for (let words = 0; words < MOST_PARTS; words += 1) {
      if (!WORD.test(filename)) break
      yield filename.slice(from, WORD.lastIndex)
    }
    from = filename.indexOf('-', from) + 1
  }
}

function nextOf(held: Held[]): number {
  return held.reduce((least, { until = Infinity }) => Math.min(least, until), Infinity)
}
