/** Days and moments as pages, settings and addresses write them: RFC 3339. All results are milliseconds since 1970. */

const DAY = /^(\d{4})-(\d\d)-(\d\d)$/
const MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/i
const DAY_MS = 24 * 60 * 60 * 1000
const MINUTE_MS = 60_000

/** A moment with its offset (RFC 3339 section 5.6), as `upload-time` has it (PEP 700), to the millisecond; undefined where the text is none. */
export function parseMoment(text: string): number | undefined {
  const [, date, hours, minutes, seconds, fraction = '', sign, offsetHours, offsetMinutes] = MOMENT.exec(text) ?? []
  const day = date === undefined ? undefined : parseDay(date)
  if (day === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59) return undefined
  const local = day + (Number(hours) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * MINUTE_MS
  return sign === '-' ? local + offset : local - offset
}

/** The first and the last millisecond that a text means: a whole day in UTC, or a single moment. Undefined where it is neither. */
export function parseSpan(text: string): { first: number; last: number } | undefined {
  const day = parseDay(text)
  if (day !== undefined) return { first: day, last: day + DAY_MS - 1 }
  const moment = parseMoment(text)
  return moment === undefined ? undefined : { first: moment, last: moment }
}

/** `2026-11-25 08:00 UTC`, for people; a minute that has begun counts whole, so that what is told has come by then. */
export function formatMoment(ms: number): string {
  return `${new Date(Math.ceil(ms / MINUTE_MS) * MINUTE_MS).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function parseDay(text: string): number | undefined {
  const [, year, month, day] = DAY.exec(text) ?? []
  if (year === undefined) return undefined
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day))
  const date = new Date(ms)
  // 30 February would be a day of March, and a year below 100 one of the twentieth century.
  return date.getUTCDate() === Number(day) && date.getUTCMonth() === Number(month) - 1 && date.getUTCFullYear() === Number(year) ? ms : undefined
}
