/** The words of a command line as values. Each throws commander's error for a word that is none, which ends with exit code 3. */
import { InvalidArgumentError } from 'commander'

/** A job's number. */
export function jobId(word: string): number {
  if (/^[1-9]\d{0,14}$/.test(word)) return Number(word)
  throw new InvalidArgumentError('a job is named by its number; muslin jobs lists them.')
}

export function jobIds(word: string, before: number[] | undefined): number[] {
  return [...before ?? [], jobId(word)]
}

/** A recipe's number. */
export function recipeId(word: string): number {
  if (/^[1-9]\d{0,14}$/.test(word)) return Number(word)
  throw new InvalidArgumentError('a recipe is named by its number; muslin recipe list has them, built-in ones have none.')
}

/** How many at most. */
export function limit(word: string): number {
  if (/^([1-9]\d{0,2}|1000)$/.test(word)) return Number(word)
  throw new InvalidArgumentError('accepted: a whole number from 1 to 1000.')
}

/** `PROJECT` or `PROJECT==VERSION`. */
export function pin(word: string): { project: string; version?: string } {
  const [, project, version] = /^([A-Za-z0-9][\w.-]*)(?:\s*==\s*([\w.!+-]+))?$/.exec(word.trim()) ?? []
  if (project === undefined) throw new InvalidArgumentError('accepted: PROJECT or PROJECT==VERSION, such as lxml==5.3.0.')
  return version === undefined ? { project } : { project, version }
}

/** The values of a flag that may be given several times. */
export function several(word: string, before: string[] | undefined): string[] {
  return [...before ?? [], word]
}
