/** What the hostile setup.py says of its attempts, and what must remain of them: nothing. */
import assert from 'node:assert/strict'
import { access, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

export const SECRET = 'hunter2-of-the-server'
/** More than any limit on processes that is set. */
export const FORKS = 2500

/** An attempt, what it said of itself, and how its run ended. */
export type Row = [attempt: string, said: string, outcome: string]

export function rowsOf(text: string, outcome: string): Row[] {
  return [...text.matchAll(/ATTEMPT ([^:\n]+): (.*)/g)].map(([, name = '', said = '']) => [name, said, outcome])
}

export function printTable(rows: Row[]): void {
  console.log(rows.map(([name, said, outcome]) => `       ${name.padEnd(34)} | ${said.padEnd(44)} | ${outcome}`).filter((line, at, all) => all.indexOf(line) === at).join('\n'))
}

/** Of a build of kind "look": everything was refused, in each of its steps. */
export function assertLook(text: string): void {
  for (const step of ['requirements', 'metadata', 'build']) assert.match(text, new RegExp(`ATTEMPT open a socket in ${step}: refused`))
  assert.match(text, /read the environment's secrets: nothing there/)
  assert.match(text, /write outside its folder: refused/)
  assert.match(text, /become root: refused/)
  assert.match(text, /leave a daemon behind: started/)
  assert.doesNotMatch(text, /got \d|wrote \d|uid 0|reached/)
}

/** It was stopped, near the limit that runs have. */
export function assertForks(text: string): void {
  const count = Number(/fork without end: stopped after (\d+)/.exec(text)?.[1])
  assert.ok(count > 0 && count < 600, `${count} forks`)
}

/** What no namespace holds, and what the kernel refuses to builds alone. */
const KERNEL = [
  'go through an inherited file', 'read the session\'s keys', 'leave a key to other builds', 'trace a process', 'look into the first process (mem)',
  'look into the first process (environ)', 'make a socket of another family', 'share memory by System V\'s way', 'take memory that is in no process',
]

/** Of a build of kind "kernel": everything was refused. */
export function assertKernel(text: string): void {
  for (const name of KERNEL) assert.ok(text.includes(`ATTEMPT ${name}: refused`), name)
  assert.doesNotMatch(text, /got \d|wrote \d|reached/)
}

/** Of the same file with nothing around it, as root, where the server was started with open files and a key. */
export function assertKernelUnboxed(text: string): void {
  for (const name of KERNEL) assert.ok(new RegExp(`ATTEMPT ${name.replace(/[()]/g, '\\$&')}: (got [1-9]|wrote 1|reached)`).test(text), name)
}

/** Of the same file with nothing around it, as root: every attempt succeeded. */
export function assertUnboxed(text: string, plan: { gates: unknown[]; outside: string[]; forks: number }): void {
  assert.match(text, /read the environment's secrets: got [1-9]/)
  assert.match(text, new RegExp(`open a socket in boxless: reached ${plan.gates.length} of ${plan.gates.length}`))
  assert.match(text, new RegExp(`write outside its folder: wrote ${plan.outside.length} of ${plan.outside.length}`))
  assert.match(text, /become root: uid 0/)
  assert.match(text, new RegExp(`fork without end: made all ${plan.forks}`))
  assert.match(text, /outlive its deadline: slept to its end/)
}

/** No process and no file of its making. */
export async function assertNoTrace(mark: string, outside: string[]): Promise<void> {
  assert.deepEqual(await marked(mark), [], 'a daemon remains')
  for (const folder of outside) await assert.rejects(access(join(folder, mark)))
}

/** Processes of this machine whose command line bears the mark; those in containers and boxes are seen here too. */
export async function marked(mark: string): Promise<number[]> {
  const pids: number[] = []
  for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(mark)) pids.push(Number(name))
  }
  return pids
}

/** The forked children of an unboxed run: their folder is its folder. */
export async function killChildren(folder: string): Promise<void> {
  for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '')
    if (cwd === folder && Number(name) !== process.pid) process.kill(Number(name), 'SIGKILL')
  }
}
