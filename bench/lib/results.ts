import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RESULTS } from './folders.ts'
import type { Machine } from './machine.ts'
import { markdown, plain, type Measured } from './table.ts'

export interface Circumstances { machine: Machine; versions: Map<string, string> }

export interface Saved { measured: Measured; machine: Machine; versions: Record<string, string> }

/** Writes what a scenario measured, for programs and for people. */
export function save(scenario: string, measured: Measured, { machine, versions }: Circumstances): void {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, `${scenario}.json`), `${JSON.stringify({ measured: plain(measured), machine, versions: Object.fromEntries(versions) }, null, 1)}\n`)
  writeFileSync(join(RESULTS, `${scenario}.md`), markdown(measured))
}

/** What is saved, by scenario. */
export function saved(): Map<string, Saved> {
  const files = readdirSync(RESULTS).filter((name) => name.endsWith('.json'))
  return new Map(files.map((name) => {
    const { measured, ...rest } = JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as Saved & { measured: { rows: Record<string, Record<string, number[] | string>> } }
    return [name.slice(0, -'.json'.length), { ...rest, measured: { ...measured, rows: new Map(Object.entries(measured.rows)) } as Measured }]
  }))
}
