/** An sdist's build files as the patches of its recipe leave them, so that it is planned as it is built. */
import { wanted } from './plan-contents.ts'

interface Hunk { line: number; old: string[]; anew: string[] }
interface Change { from: string | undefined; to: string | undefined; hunks: Hunk[] }

/**
 * `texts` with the patches applied as `builders/scripts/patch.py` does it: without fuzz, each hunk at the nearest place where it fits. A
 * file that a patch does not fit stays as it is; the build will say so. Files that no plan reads are left out.
 */
export function patchedTexts(texts: Map<string, string>, patches: { text: string }[]): Map<string, string> {
  const after = new Map(texts)
  for (const { from, to, hunks } of patches.flatMap(({ text }) => changes(text))) {
    const before = from === undefined ? '' : after.get(from)
    if (before === undefined) continue
    const lines = applied(linesOf(before), hunks)
    if (!lines) continue
    if (from !== undefined && from !== to) after.delete(from)
    if (to !== undefined && wanted(to) > 0) after.set(to, lines.join(''))
  }
  return after
}

function changes(patch: string): Change[] {
  const found: Change[] = []
  const lines = linesOf(patch)
  for (let at = 0; at < lines.length;) {
    if (!lines[at]!.startsWith('--- ') || !lines[at + 1]?.startsWith('+++ ')) {
      at += 1
      continue
    }
    const change: Change = { from: nameOf(lines[at]!), to: nameOf(lines[at + 1]!), hunks: [] }
    at += 2
    for (let header = hunkAt(lines[at]); header; header = hunkAt(lines[at])) {
      const { hunk, next } = readHunk(lines, at + 1, header)
      change.hunks.push(hunk)
      at = next
    }
    found.push(change)
  }
  return found
}

function hunkAt(line = ''): { line: number; old: number; anew: number } | undefined {
  const [, from, old = '1', anew = '1'] = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line) ?? []
  return from === undefined ? undefined : { line: Number(from), old: Number(old), anew: Number(anew) }
}

function readHunk(lines: string[], start: number, counts: { line: number; old: number; anew: number }): { hunk: Hunk; next: number } {
  const hunk: Hunk = { line: counts.line, old: [], anew: [] }
  let at = start
  for (; at < lines.length && (hunk.old.length < counts.old || hunk.anew.length < counts.anew || lines[at]!.startsWith('\\')); at++) {
    const line = lines[at]!
    const mark = line[0]!
    if (mark === '\\') {
      // "No newline at end of file" is about the line before.
      const above = lines[at - 1]![0]
      for (const side of above === '-' ? [hunk.old] : above === '+' ? [hunk.anew] : [hunk.old, hunk.anew]) side.push((side.pop() ?? '').replace(/\n$/, ''))
      continue
    }
    // Editors cut the blank of an empty line.
    const text = mark === '\n' || mark === '\r' ? line : line.slice(1)
    if (mark !== '+') hunk.old.push(text)
    if (mark !== '-') hunk.anew.push(text)
  }
  return { hunk, next: at }
}

function applied(lines: string[], hunks: Hunk[]): string[] | undefined {
  const after = [...lines]
  let shift = 0
  for (const { line, old, anew } of hunks) {
    // What only adds names the line that it comes behind.
    const expected = Math.max(old.length === 0 ? line : line - 1, 0) + shift
    const places = Array.from({ length: Math.max(after.length - old.length + 1, 0) }, (_, place) => place)
      .filter((place) => old.every((text, index) => after[place + index] === text))
    const [place] = places.toSorted((a, b) => Math.abs(a - expected) - Math.abs(b - expected))
    if (place === undefined) return undefined
    after.splice(place, old.length, ...anew)
    shift += anew.length - old.length
  }
  return after
}

/** Below the first folder, `a/` or `b/`; undefined of `/dev/null`. */
function nameOf(header: string): string | undefined {
  const name = header.slice(4).split('\t')[0]!.trim()
  return name === '/dev/null' ? undefined : name.split('/').slice(1).join('/')
}

/** Each with its end. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}
