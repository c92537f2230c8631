/**
 * What the composite of several upstreams keeps in the one validator of a page: whose page it is, what each of these upstreams said to ask again with,
 * and which upstreams before that one had no such project. Its names hold addresses: what one server said is never asked of another.
 */
export interface Stamp {
  /** Upstream → its own validator, in the order of the settings. */
  from: Map<string, string | undefined>
  /** Those that said before the first of these that they have nothing. */
  absent: string[]
}

export function writeStamp({ from, absent }: Stamp): string {
  return JSON.stringify({ from: [...from].map(([name, validator]) => validator === undefined ? [name] : [name, validator]), absent })
}

/** Undefined for what is no stamp, such as a validator of an earlier version. */
export function readStamp(text: string | undefined): Stamp | undefined {
  if (text === undefined || !text.startsWith('{"from":')) return undefined
  try {
    const { from, absent } = JSON.parse(text) as { from: [string, string?][]; absent?: string[] }
    return absent && { from: new Map(from.map(([name, validator]) => [name, validator])), absent }
  } catch {
    return undefined
  }
}

export function sameTexts(some: string[], others: string[]): boolean {
  return some.length === others.length && some.every((text, at) => text === others[at])
}
