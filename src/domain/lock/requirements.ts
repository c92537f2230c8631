/** pip's requirements files, in which every requirement is pinned. */
import { isValidName, normalizeName } from '../names.ts'
import { parseMarker } from '../marker-grammar.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { parseSpecifiers } from '../specifier.ts'
import { badLock, type BadLine } from './bad-lock.ts'
import { collectPins, markerJudge } from './collect.ts'
import { readHashes, shown } from './requirement-hashes.ts'
import { createFormatControl, readGlobalOption } from './requirements-options.ts'
import type { Lock, Pin } from './pin.ts'

/** Real ones have some thousand, each with some hundred hashes at most. */
const MOST_REQUIREMENTS = 50_000
const MOST_LINES = 1_000_000

/** As pip splits a file. */
export const LINE_BREAK = /\r\n|\r|\n/

/** A requirement; `last` is the last of its lines, as `pin.line` is the first. */
export interface RequirementEntry { pin: Pin; marker: string | undefined; last: number }

/** Reads the file as pip does. Lines for the server (`-r` to a file that is `given` too, `-c`, indexes and the like) are passed over. Throws `bad-lock`. */
export function readRequirements(name: string, text: string, given: string[]): Lock {
  const entries = requirementEntries(name, text, given)
  return {
    name,
    kind: 'requirements',
    refusal: () => undefined,
    pins(environment: MarkerEnvironment) {
      const applies = markerJudge(environment, [], [])
      return collectPins(entries.filter(({ marker }) => applies(marker)).map(({ pin }) => pin))
    },
  }
}

/** The requirements of the file, in its order. Throws `bad-lock`. */
export function requirementEntries(name: string, text: string, given: string[]): RequirementEntry[] {
  const control = createFormatControl()
  const entries: RequirementEntry[] = []
  const bad: BadLine[] = []
  const lines = text.split(LINE_BREAK)
  if (lines.length > MOST_LINES) throw badLock(name, [{ what: `it has more than ${MOST_LINES} lines` }])
  for (const { line, last, text: content } of logicalLines(lines)) {
    const problem = content.startsWith('-') ? readGlobalOption(content, control, given) : readEntry(content, { line, last }, entries)
    if (problem !== undefined) bad.push({ line, what: problem })
    if (entries.length + bad.length > MOST_REQUIREMENTS) throw badLock(name, [{ what: `it has more than ${MOST_REQUIREMENTS} requirements` }])
  }
  if (bad.length > 0) throw badLock(name, bad)
  // pip applies what the whole file says to each of its lines.
  for (const { pin } of entries) pin.only = control.only(pin.project)
  return entries
}

/** Joined, without comments, stripped; those that are left empty are left out. `line` and `last` are the ends of what was joined. */
function* logicalLines(lines: string[]): Generator<{ line: number; last: number; text: string }> {
  let first = 0
  let parts: string[] = []
  for (const [index, line] of lines.entries()) {
    if (parts.length === 0) first = index + 1
    const comment = /^\s*#/.test(line)
    const goesOn = line.endsWith('\\') && !comment
    // A comment ends what was joined; the space keeps it a comment there.
    parts.push(goesOn ? withoutBackslashes(line) : comment ? ` ${line}` : line)
    if (goesOn && index < lines.length - 1) continue
    const joined = parts.join('').replace(/(?:^|\s)#.*$/s, '').trim()
    if (joined !== '') yield { line: first, last: index + 1, text: joined }
    parts = []
  }
}

/** At the end, as many as there are; an expression would take quadratic time where they stand elsewhere. */
function withoutBackslashes(line: string): string {
  let end = line.length
  while (line[end - 1] === '\\') end -= 1
  return line.slice(0, end)
}

/** Adds the line's requirement, or says what is wrong with it. */
function readEntry(text: string, { line, last }: { line: number; last: number }, entries: RequirementEntry[]): string | undefined {
  // pip cuts a line at the first word that begins with a dash and reads the rest as options.
  const cut = / -/.exec(text)?.index ?? text.length
  const requirement = text.slice(0, cut).trim()
  const hashes = readHashes(text.slice(cut))
  if (typeof hashes === 'string') return hashes
  // The project itself, or a part of it: nothing of it comes from an index.
  if (/^\.{0,2}[/\\]|^\.{1,2}(?:\[|$)/.test(requirement)) return undefined
  const [, name, rest] = /^([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\s*(?:\[[^\]]*\]\s*)?(.*)$/is.exec(requirement) ?? []
  if (name === undefined || rest === undefined || !isValidName(name) || /^[:/+]/.test(rest)) return `${shown(requirement)} is no requirement of a release, such as name==1.0`
  if (rest.startsWith('@')) return `${shown(requirement)} comes from a URL and from no index: pin a release of it with ==`
  const semicolon = rest.indexOf(';')
  const marker = semicolon < 0 ? undefined : rest.slice(semicolon + 1)
  if (marker !== undefined && !parseMarker(marker)) return `${shown(requirement)} has a marker that cannot be read`
  const specifiers = (semicolon < 0 ? rest : rest.slice(0, semicolon)).trim()
  const set = parseSpecifiers(/^\((.*)\)$/s.exec(specifiers)?.[1] ?? specifiers)
  if (!set) return `${shown(requirement)} has a version that cannot be read`
  const pinned = set.find(({ operator, version, prefix }) => (operator === '==' || operator === '===') && version && !prefix)
  if (!pinned) return `${shown(requirement)} is not pinned: pin it with ==, or give a lock made from this file`
  entries.push({ pin: { project: normalizeName(name), version: pinned.text, line, hashes, filenames: undefined, only: undefined, elsewhere: undefined }, marker, last })
  return undefined
}
