/**
 * Runs one piece of work for all who ask for the same key while it runs. `run(key, work)` resolves or rejects as the work does;
 * nothing is remembered afterwards.
 */
export function singleFlight<T>(): (key: string, work: () => Promise<T>) => Promise<T> {
  const running = new Map<string, Promise<T>>()
  return (key, work) => {
    const started = running.get(key) ?? work().finally(() => running.delete(key))
    running.set(key, started)
    return started
  }
}
