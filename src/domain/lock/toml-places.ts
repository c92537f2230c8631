/** Where the tables and keys of a TOML text stand. */
import { afterBlank, keyAt, valueAt, type ValueSpan } from './spans.ts'

export interface TomlPlace {
  /** The header's name, in its parts; empty for what stands before the first. */
  path: string[]
  /** `[[…]]` */
  repeated: boolean
  /** Values by their names as they stand below the header; the parts of a dotted one are joined by dots. */
  keys: Map<string, ValueSpan>
  /** Behind the last value, or behind the header where there is none. */
  end: number
}

/** The tables in their order, each with its own keys alone. The text must be valid TOML 1.0: it is parsed before. */
export function tomlPlaces(text: string): TomlPlace[] {
  let place: TomlPlace = { path: [], repeated: false, keys: new Map(), end: 0 }
  const places = [place]
  for (let at = afterBlank(text, 0); at < text.length; at = afterBlank(text, place.end)) {
    if (text[at] === '[') {
      const repeated = text[at + 1] === '['
      const { path, end } = keyAt(text, afterBlank(text, at + (repeated ? 2 : 1)))
      place = { path, repeated, keys: new Map(), end: afterBlank(text, end) + (repeated ? 2 : 1) }
      places.push(place)
    } else {
      const { path, end } = keyAt(text, at)
      const value = valueAt(text, afterBlank(text, afterBlank(text, end) + 1))
      place.keys.set(path.join('.'), value)
      // A name without an end could stop the walk for ever; valid text has none.
      place.end = Math.max(value.end, at + 1)
    }
  }
  return places
}

/** Each `[[name]]`, with the tables below it. */
export function repeatedPlaces(text: string, name: string): { own: TomlPlace; below: TomlPlace[] }[] {
  const found: { own: TomlPlace; below: TomlPlace[] }[] = []
  for (const place of tomlPlaces(text)) {
    if (place.path[0] !== name) continue
    if (place.path.length === 1 && place.repeated) found.push({ own: place, below: [] })
    else found.at(-1)?.below.push(place)
  }
  return found
}
