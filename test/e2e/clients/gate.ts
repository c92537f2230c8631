/** Lets so many in at the same time; the others wait for their turn, in the order in which they came. */
export interface Gate {
  /** Resolves with what is to be called when the place is free again; a second call of it does nothing. */
  enter(): Promise<() => void>
}

export function createGate(places: number): Gate {
  const waiting: (() => void)[] = []
  let free = places
  return {
    async enter() {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => { waiting.push(resolve) })
      let left = false
      return () => {
        if (left) return
        left = true
        const next = waiting.shift()
        if (next) next()
        else free += 1
      }
    },
  }
}
