import { access, constants, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { interpreterTargets } from '../builder/interpreter-images.ts'
import type { Check } from '../cli/context.ts'
import type { Settings } from '../config/settings.ts'
import { parseTarget } from '../domain/target.ts'
import { findInterpreters, type Interpreter } from '../engine/embedded/interpreters.ts'
import { launcherOf } from '../engine/embedded/launcher.ts'
import { probeSandbox } from '../engine/embedded/probe.ts'
import { fail, ok, warn } from './check.ts'

/** Builds can be locked in; it really locks something in. */
export async function sandboxCheck({ isolation, python }: Pick<Settings, 'isolation' | 'python'>): Promise<Check> {
  const launcher = launcherOf(await findInterpreters({ env: process.env, home: homedir(), named: python }))
  if (launcher === undefined) return fail('sandbox', 'no CPython starts its boxes', 'install python3, or name one by --python')
  const probe = await probeSandbox({ isolation, launcher })
  if (!probe.ok) return fail('sandbox', probe.why, 'or set isolation to none on a machine that is thrown away afterwards')
  return probe.how === 'none' ? warn('sandbox', probe.why, 'set isolation to sandbox, unless this machine is thrown away afterwards') : ok('sandbox', `${probe.why}; no network but for pip while it fetches requirements, which has this machine's own`)
}

/** The CPythons of this machine, what each is good for, and which targets they make. */
export async function pythonChecks({ python, targets }: Pick<Settings, 'python' | 'targets'>, cpu: string): Promise<Check[]> {
  return pythonsFound(await findInterpreters({ env: process.env, home: homedir(), named: python }), targets, cpu)
}

/** Those of the named Pythons that the engine leaves out, and why. */
export async function unusablePythons(named: string[]): Promise<Check[]> {
  return (await Promise.all([...new Set(named)].map(async (path) => {
    const [usable] = await findInterpreters({ env: {}, home: '/nonexistent', named: [path] })
    return usable ? [] : [warn('python', `${path}, named by the setting python, ${await whatIsWrong(path)}`, 'name the executable of a CPython 3 of 64 bits, or leave it out')]
  }))).flat()
}

async function whatIsWrong(path: string): Promise<string> {
  try {
    const { mode } = await stat(path)
    if ((mode & 0o170000) === 0o040000) return 'is a folder'
    await access(path, constants.X_OK)
    return 'is no CPython 3 of 64 bits without a special ABI (free-threaded, debug), or does not run'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'may not be run' : 'is not there'
  }
}

/** What these interpreters are good for. One that cannot build is a matter only where a target waits for its minor. */
export function pythonsFound(interpreters: Interpreter[], names: string[], cpu: string): Check[] {
  const targets = names.flatMap((name) => parseTarget(name) ?? [])
  const made = interpreterTargets({ interpreters, targets, cpu }).map(({ name }) => name)
  const missed = targets.filter(({ name }) => !made.includes(name))
  const wanted = new Set(missed.map(({ major, minor }) => `${major}.${minor}`))
  const more = missed.length === 0 ? '' : `; not for ${missed.map(({ name }) => name).join(', ')}`
  return [
    ...interpreters.map((one) => pythonFound(one, wanted)),
    made.length > 0 ? ok('targets', `${made.join(', ')}${more}`)
      : fail('targets', `none can be built for: there is no CPython with its headers here${more}`, 'install one (apt-get install python3-dev, or pyenv), or name one by --python'),
  ]
}

function pythonFound({ executable, version, minor, libc, complete, missing }: Interpreter, wanted: Set<string>): Check {
  const name = `${version} (${libc}) at ${executable}`
  const tries = libc === 'musl' && complete ? ` tries wheels for ${minor}` : ''
  if (missing === undefined) return ok('python', `${name} builds for ${minor}${tries && ` and${tries}`}`)
  const [cause = '', ...remedy] = missing.split(': ')
  const found = `${name}${tries && `${tries} and`} does not build: ${cause}`
  return wanted.has(minor) ? warn('python', found, remedy.join(': ')) : ok('python', found)
}
