/** How much of the two ends of an output is kept for the classifier: the cause often stands far from the end. */
const HEAD = 1 << 20
const TAIL = 3 << 20

export interface Excerpt {
  add(chunk: Uint8Array): void
  text(): string
}

/** Collects output without ever holding more than its first megabyte and its last three to six. */
export function createExcerpt(): Excerpt {
  const head: Buffer[] = []
  let headBytes = 0
  let older: Buffer[] = []
  let newer: Buffer[] = []
  let newerBytes = 0
  let dropped = false

  return {
    add(chunk) {
      const bytes = Buffer.from(chunk)
      const first = bytes.subarray(0, HEAD - headBytes)
      if (first.length > 0) head.push(first)
      headBytes += first.length
      const rest = bytes.subarray(first.length)
      if (rest.length === 0) return
      if (newerBytes + rest.length > TAIL) {
        dropped ||= older.length > 0
        older = newer
        newer = []
        newerBytes = 0
      }
      newer.push(rest)
      newerBytes += rest.length
    },
    text() {
      return Buffer.concat([...head, Buffer.from(dropped ? '\n[...]\n' : ''), ...older, ...newer]).toString('utf8')
    },
  }
}
