/** Lines of the one text that the other lacks, in order; every other line of it must stand there, in the same order. */
export function diffLines(before: string, after: string): { added: string[]; removed: string[] } {
  const left = before.split('\n')
  const added: string[] = []
  for (const line of after.split('\n')) {
    if (line === left[0]) left.shift()
    else added.push(line)
  }
  return { added, removed: left }
}
