import { execa } from 'execa'
import { homedir } from 'node:os'
import { expect, it } from 'vitest'
import { findInterpreters, type Interpreter } from '../../../src/engine/embedded/interpreters.ts'
import { launched, launcherOf } from '../../../src/engine/embedded/launcher.ts'
import { findBox } from '../../../src/engine/embedded/probe.ts'

const python = launcherOf(await findInterpreters({ env: process.env, home: homedir(), named: [] }))
const one = (version: string, complete = true) => ({ version, complete, executable: `/opt/${version}` }) as Interpreter

it('takes the newest interpreter that is whole', () => {
  expect(launcherOf([one('3.9.1'), one('3.13.0'), one('3.14.0', false), one('3.12.9')])).toBe('/opt/3.13.0')
  expect(launcherOf([one('3.14.0', false)])).toBe('/opt/3.14.0')
  expect(launcherOf([])).toBeUndefined()
})

it('makes no box without one that works, and says why', async () => {
  const found = await findBox({ isolation: 'sandbox', launcher: '/nowhere/python3' })
  expect('box' in found).toBe(false)
  expect(found.why).toContain('/nowhere/python3')
})

it.skipIf(python === undefined)('starts a program with three files, nothing to gain, and a filter', async () => {
  const [file, ...args] = [...launched(python ?? ''), 'sh', '-c', 'ls /proc/$$/fd; cat /proc/$$/status; exit 7']
  const { stdout, exitCode } = await execa(file, args, { reject: false, stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'ignore', 'pipe'] })
  expect(exitCode).toBe(7)
  // The shell's own copy of its script, where it makes one, lies beyond ten.
  expect(stdout.split('\n').filter((line) => /^[3-9]$/.test(line))).toEqual([])
  expect(stdout).toMatch(/^NoNewPrivs:\s1$/m)
  expect(stdout).toMatch(/^Seccomp:\s2$/m)
})

it.skipIf(python === undefined)('starts nothing for a server that has ended, nor what is not there', async () => {
  const [file = '', ...args] = launched(python ?? '')
  const orphan = await execa(file, [...args.slice(0, -1), '1', 'true'], { reject: false })
  expect(orphan).toMatchObject({ exitCode: 125, stderr: 'muslin-launch: the server has ended' })
  expect(await execa(file, [...args, 'no-such-program'], { reject: false })).toMatchObject({ exitCode: 125, stderr: 'muslin-launch: no-such-program: No such file or directory' })
})
