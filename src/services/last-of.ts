import { LRUCache } from 'lru-cache'

/** The last `most` that were set or asked for. It grows with what it holds, where a cache with `max` takes the room of all of them from the start: a megabyte each of our larger ones. */
export function lastOf<Value extends string | number | boolean | object>(most: number): LRUCache<string, Value> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 })
}
