/**
 * The container tests: `npm run test:e2e` runs all but the long ones, `npm run test:e2e -- NAME…` those. They need a Docker engine and say how to start one.
 * Ends with "N passed, N failed" and, unless it failed, an empty engine: containers left over are a failure of their own.
 */
import { existsSync } from 'node:fs'
import { execa } from 'execa'
import { cleanEnv, Lab, images } from './lab.ts'
import type { Check } from './lab.ts'

const ORDER = ['engine', 'podman', 'remote', 'service', 'waiting', 'crowd', 'parallel', 'restart', 'failure', 'discovery', 'rebuild', 'kill', 'drain', 'offline', 'outage', 'files', 'crates', 'overhead', 'equal', 'locks', 'lock-hashes', 'old-locks', 'images', 'hostile', 'embedded', 'boxes', 'compose', 'ui', 'firstrun']
/** Run by their names alone: they take long, and what they show changes seldom. */
const LONG = ['many', 'ladders']

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => ![...ORDER, ...LONG].includes(name))
if (unknown.length > 0) stop(`there is no scenario ${unknown.join(', ')}; there are ${[...ORDER, ...LONG].join(', ')}`)
const engine = await execa('docker', ['version', '--format', '{{.Server.Version}}'], { reject: false, env: cleanEnv(), extendEnv: false })
if (engine.exitCode !== 0) {
  stop('no Docker engine answers. On Debian: apt-get install docker.io iptables, then start dockerd (as root) and run this again')
}
console.log(`engine ${engine.stdout}`)
await images()

let passed = 0
let failed = 0
const began = Date.now()
for (const name of wanted.length > 0 ? wanted : ORDER) {
  const file = new URL(`./scenarios/${name}.ts`, import.meta.url)
  if (!existsSync(file)) stop(`scenario ${name} has no file`)
  console.log(`\n== ${name}`)
  const lab = new Lab(name)
  const check: Check = async (what, run) => {
    const start = Date.now()
    try {
      await run()
      passed++
      console.log(`  ok   ${what} (${((Date.now() - start) / 1000).toFixed(1)} s)`)
    } catch (error) {
      failed++
      console.log(`  FAIL ${what} (${((Date.now() - start) / 1000).toFixed(1)} s)\n${indent(error)}`)
    }
  }
  const start = Date.now()
  try {
    const { default: scenario } = (await import(file.href)) as { default: (check: Check, lab: Lab) => Promise<void> }
    await scenario(check, lab)
  } catch (error) {
    failed++
    console.log(`  FAIL ${name} itself\n${indent(error)}`)
  }
  await lab.close()
  await check('leaves no container, network or process', () => lab.assertNothingLeft())
  console.log(`== ${name}: ${((Date.now() - start) / 1000).toFixed(0)} s`)
}
console.log(`\nend to end in ${((Date.now() - began) / 1000).toFixed(0)} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)

function indent(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return text.split('\n').map((line) => `       ${line}`).join('\n')
}

function stop(why: string): never {
  console.error(why)
  process.exit(3)
}
