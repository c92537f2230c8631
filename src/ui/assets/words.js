// @ts-check
/** How times are told. The server writes them with these functions, and the browser keeps them true with the same. */

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * How long something took, in two units at most: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
 * @param {number} seconds
 * @returns {string}
 */
export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return '0 s'
  if (seconds < 9.95) return `${Math.round(seconds * 10) / 10} s`
  const whole = Math.round(seconds)
  if (whole < MINUTE) return `${whole} s`
  if (whole < HOUR) return pair(whole, MINUTE, 'min', 1, 's')
  const minutes = Math.round(seconds / MINUTE) * MINUTE
  if (minutes < DAY) return pair(minutes, HOUR, 'h', MINUTE, 'min')
  return pair(Math.round(seconds / HOUR) * HOUR, DAY, 'd', HOUR, 'h')
}

/**
 * How far a moment lies from now: `just now`, `5 min ago`, `3 d ago`, `in 2 h`.
 * @param {number} at milliseconds since 1970
 * @param {number} now
 * @returns {string}
 */
export function distance(at, now) {
  const seconds = (now - at) / 1000
  const far = Math.abs(seconds)
  if (far < 10) return seconds >= 0 ? 'just now' : 'in a moment'
  const told = far < MINUTE ? `${Math.floor(far)} s` : far < HOUR ? `${Math.floor(far / MINUTE)} min` : far < 2 * DAY ? `${Math.floor(far / HOUR)} h` : `${Math.floor(far / DAY)} d`
  return seconds > 0 ? `${told} ago` : `in ${told}`
}

/**
 * @param {number} seconds
 * @param {number} large
 * @param {string} largeName
 * @param {number} small
 * @param {string} smallName
 * @returns {string}
 */
function pair(seconds, large, largeName, small, smallName) {
  const rest = Math.round((seconds % large) / small)
  return `${Math.floor(seconds / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`
}
