/** The known name that is closest to a mistyped one; undefined where none is close. Case, `-`, `_` and `.` do not count. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = plain(name)
  let best: { name: string; distance: number } | undefined
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate))
    if (!best || distance < best.distance) best = { name: candidate, distance }
  }
  return best && best.distance <= Math.max(2, wanted.length / 3) ? best.name : undefined
}

/** `: did you mean "x"?`, or nothing: to end a sentence about an unknown name. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const found = nearest(name, known)
  return found === undefined ? '' : `; did you mean ${found}?`
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.]/g, '')
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let line = 1; line <= a.length; line++) {
    const next = [line]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (a[line - 1] === b[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
