import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { GIB } from './figures.ts'

export interface Machine {
  date: string
  cores: number
  cpu: string
  memory: string
  system: string
  /** How much of the machine others used in the second before. */
  busy: number
  load: number
}

/** What is measured on, and whether it is left alone. */
export async function machine(): Promise<Machine> {
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
  return { date: new Date().toISOString().slice(0, 10), cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', memory: `${Math.round(totalmem() / GIB)} GiB`, system: `${system}, Linux ${release()}`, busy: await busy(), load: loadavg()[0]! }
}

/** Words where the machine is too busy for its figures to be worth anything. */
export function disturbed({ busy, cores }: Machine): string | undefined {
  if (cores < 2) return 'one core: server and clients would share it'
  return busy > 0.1 ? `others use ${Math.round(busy * 100)} % of this machine` : undefined
}

async function busy(): Promise<number> {
  const before = ticks()
  await sleep(1000)
  const after = ticks()
  return 1 - (after.idle - before.idle) / (after.all - before.all)
}

function ticks(): { idle: number; all: number } {
  const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? []
  // idle and iowait
  return { idle: fields[3]! + fields[4]!, all: fields.slice(0, 8).reduce((sum, field) => sum + field, 0) }
}
