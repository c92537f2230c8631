/** How many of these ran at the same time at most. Of two of which one begins in the millisecond in which the other ends, the one came after the other. Throws where one has not run to its end. */
export function greatestOverlap(runs: { started_at: number | null; finished_at: number | null }[]): number {
  const whole = runs.map(({ started_at, finished_at }) => {
    if (started_at === null || finished_at === null) throw new Error('one has not ended')
    return { began: started_at, ended: finished_at }
  })
  // The number can only grow where one begins.
  return Math.max(0, ...whole.map(({ began }) => whole.filter((one) => one.began <= began && began < one.ended).length))
}
