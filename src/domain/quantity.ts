/** Sizes and durations as people write them: `512m`, `2g`, `90s`, `30m`. */

const SIZES: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }
const TIMES: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 }

/** Bytes of a size with or without a unit of 1024; undefined where the text is none. */
export function parseSize(text: string): number | undefined {
  return parse(/^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i, SIZES, text)
}

/** Seconds of a duration with or without a unit; undefined where the text is none. */
export function parseDuration(text: string): number | undefined {
  return parse(/^(\d+(?:\.\d+)?)\s*([smhd]?)$/i, TIMES, text)
}

/** `parseSize` of it is the same number again. */
export function formatSize(bytes: number): string {
  return format(SIZES, bytes)
}

/** `parseDuration` of it is the same number again. */
export function formatDuration(seconds: number): string {
  return format(TIMES, seconds)
}

function parse(pattern: RegExp, units: Record<string, number>, text: string): number | undefined {
  const [, count, unit] = pattern.exec(text) ?? []
  const total = Math.round(Number(count) * (units[unit?.toLowerCase() ?? ''] ?? Number.NaN))
  return Number.isNaN(total) ? undefined : total
}

function format(units: Record<string, number>, total: number): string {
  const [unit, worth] = Object.entries(units).findLast(([, each]) => total > 0 && total % each === 0) ?? ['', 1]
  return `${total / worth}${unit}`
}
