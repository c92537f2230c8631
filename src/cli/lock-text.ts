/** Locks with our hashes in the words of the command line. */
import type { LockHashes, LockLine } from '../services/lock-views.ts'
import { isThisMachine } from '../domain/local.ts'
import { count, table } from './format.ts'
import { reason } from './plan-text.ts'
import type { Paint } from './styles.ts'

/** In the order in which they matter. */
const WORDS = [['added', 'added'], ['to-build', 'not built'], ['cannot', 'cannot']] as const

/** What was added to each file, and what of it still is missing. */
export function addedText({ files, lines }: LockHashes, paint: Paint): string[] {
  return files.flatMap(({ name, added, roots, note }) => [
    `${name}: ${added === 0 ? note ?? 'no hash was missing' : `${count(added, 'hash', 'hashes')} added${roots.length === 0 ? '' : `, with URLs under ${roots.join(' and ')}`}`}`,
    ...linesText(lines.filter(({ file }) => file === name), 'added', paint),
  ])
}

/** A line for each hash that the files lack. */
export function checkText({ files, lines }: LockHashes, paint: Paint): string[] {
  return files.flatMap(({ name, note }) => {
    const own = lines.filter(({ file }) => file === name)
    const lacking = lackingHashes(own).length
    return [`${name}: ${lacking === 0 ? note ?? 'no hash is missing' : `${count(lacking, 'hash is', 'hashes are')} missing`}`, ...linesText(own, 'missing', paint)]
  })
}

/** What `lock-hashes` would add, or would build and add; in each file once. */
export function lackingHashes(lines: LockLine[]): LockLine[] {
  return distinct(lines.filter(({ state }) => state === 'added' || state === 'to-build'))
}

/** What cannot be had; in each file once. */
export function cannotBeHad(lines: LockLine[]): LockLine[] {
  return distinct(lines.filter(({ state }) => state === 'cannot'))
}

/** URLs that nobody else can use, with what helps. */
export function loopbackWarnings({ files }: LockHashes): string[] {
  return files.flatMap(({ name, roots }) => roots.filter((root) => isThisMachine(new URL(root).hostname)).map((root) =>
    `muslin: the URLs that ${name} got are under ${root}, which no other machine reaches; for others set publicUrl at the server, and add them to the file as it was before`))
}

function linesText(lines: LockLine[], added: string, paint: Paint): string[] {
  return table(WORDS.flatMap(([state, word]) => distinct(lines.filter((line) => line.state === state)).map((line) =>
    ['', paint('bold', state === 'added' ? added : word), line.project, line.version, line.target, detail(line)])))
}

function detail({ state, filename, why, remedy, job, line }: LockLine): string {
  const at = line === null ? '' : ` (line ${line})`
  if (state === 'cannot') return `${reason({ why, remedy, job })}${at}`
  return `${filename ?? ''}${at}${why === null ? '' : `; not wherever the lock has it: ${why}`}`
}

function distinct(lines: LockLine[]): LockLine[] {
  return [...new Map(lines.map((line) => [`${line.project} ${line.version} ${line.target} ${line.file}`, line])).values()]
}
