/**
 * What the composite of several upstreams keeps in the one validator of a page: whose page it is, what each of these upstreams said to ask again with,
 * and which upstreams there were to ask when that was decided.
 */
export interface Stamp {
  /** Upstream → its own validator, in the order of the settings. */
  from: Map<string, string | undefined>
  /** Names of all that could have been asked. */
  candidates: string[]
}

export function writeStamp({ from, candidates }: Stamp): string {
  return JSON.stringify({ from: [...from].map(([name, validator]) => validator === undefined ? [name] : [name, validator]), candidates })
}

/** Undefined for what is no stamp, such as a validator from before there were several upstreams. */
export function readStamp(text: string | undefined): Stamp | undefined {
  if (text === undefined || !text.startsWith('{"from":')) return undefined
  try {
    const { from, candidates } = JSON.parse(text) as { from: [string, string?][]; candidates: string[] }
    return { from: new Map(from.map(([name, validator]) => [name, validator])), candidates }
  } catch {
    return undefined
  }
}
