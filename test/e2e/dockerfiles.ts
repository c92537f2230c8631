/** The Dockerfiles of `docs/docker.md`, as they stand there. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './lab.ts'

export interface Example {
  /** The second word of its fence. */
  name: string
  dockerfile: string
  /** The command below it, which several examples may share. */
  command: string
}

/** In the page's order. Throws where a Dockerfile has no name of its own, or no command below it. */
export async function examples(): Promise<Example[]> {
  return parseExamples(await readFile(join(ROOT, 'docs/docker.md'), 'utf8'))
}

/** The fenced blocks of a page: `dockerfile NAME` is an example, the next `sh` its command. */
export function parseExamples(page: string): Example[] {
  const found: Example[] = []
  for (const [, language, name = '', text = ''] of page.matchAll(/^```(\w+) ?(\S*)\n(.*?\n)```$/gms)) {
    if (language === 'sh') for (const example of found) example.command ||= text.trim()
    else if (language === 'dockerfile') found.push({ name, dockerfile: text, command: '' })
  }
  for (const [n, { name, command }] of found.entries()) {
    if (name === '' || found.findIndex((other) => other.name === name) !== n) throw new Error(`Dockerfile ${n + 1} has no name of its own: ${JSON.stringify(name)}`)
    if (command === '') throw new Error(`no command stands below the Dockerfile ${name}`)
  }
  return found
}
