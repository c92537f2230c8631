/** RECORD of an installed or packed wheel: each member with its digest and size (PyPA "Recording installed projects"). */

export interface RecordLine { name: string; digest: string; size: string }

/** The lines of a RECORD, or the text of the first line that is none. `digest` is as written (`sha256=…`), empty for RECORD itself. */
export function parseRecord(text: string): { lines: RecordLine[] } | { bad: string } {
  const lines: RecordLine[] = []
  for (const line of text.split(/\r\n|\n/)) {
    if (line === '') continue
    const fields = /^(?:"((?:[^"]|"")*)"|([^",]*)),([^",]*),([0-9]*)$/.exec(line)
    if (!fields) return { bad: line }
    lines.push({ name: fields[1]?.replaceAll('""', '"') ?? fields[2] ?? '', digest: fields[3] ?? '', size: fields[4] ?? '' })
  }
  return { lines }
}

/** The text of a RECORD with these lines, in their order. */
export function formatRecord(lines: RecordLine[]): string {
  return lines.map(({ name, digest, size }) => `${/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name},${digest},${size}\n`).join('')
}
