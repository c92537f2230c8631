export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Three figures are as much as such a measurement knows: 12,345 · 123 · 12.3 · 1.23. */
export function shown(value: number | string | undefined): string {
  if (value === undefined) return '–'
  if (typeof value === 'string') return value
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toFixed(size >= 10 ? 1 : 2)))
}

export const MIB = 1024 * 1024
export const GIB = 1024 * MIB
