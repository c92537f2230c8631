/** How figures and sentences are written. */
import { distance, duration } from './assets/words.js'
import { html, type Html } from './html.ts'

export { distance, duration }

/** Bytes in decimal units, as disks and downloads are told: `512 B`, `1.2 kB`, `34 MB`. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** A whole number with its thousands apart: `12,345`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A count with its word: `1 job`, `2 jobs`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** How far a moment is from now, with the moment itself; scripts keep it true. */
export function timeTag(iso: string, now: number): Html {
  return html`<time datetime="${iso}" title="${stamp(iso)}">${distance(Date.parse(iso), now)}</time>`
}

/** How long something runs that began then and has not ended; scripts count on. */
export function runningTag(iso: string, now: number): Html {
  return html`<span class="num" data-since="${iso}">${duration((now - Date.parse(iso)) / 1000)}</span>`
}

/** A moment for people: `2026-11-21 12:00:05 UTC`. */
function stamp(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`
}

/** A text of ours as a sentence: begun with a capital, ended with a stop. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
