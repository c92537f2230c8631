import { homedir } from 'node:os'
import { interpreterTargets } from '../builder/interpreter-images.ts'
import { thisMachine } from '../config/machine.ts'
import type { Settings } from '../config/settings.ts'
import { probeEngine, type Probe } from '../engine/docker.ts'
import { findInterpreters, type Interpreter } from '../engine/embedded/interpreters.ts'
import { launcherOf } from '../engine/embedded/launcher.ts'
import { probeSandbox } from '../engine/embedded/probe.ts'
import { MuslinError } from '../errors.ts'
import { checkTargetCpus, describeEngines } from './engines.ts'

/** What builds run in; `why` is for the person who started the server, `cpu` its own, as in platform tags. */
export type Chosen =
  | { kind: 'docker' | 'podman'; why: string; cpu: string }
  | { kind: 'embedded'; why: string; cpu: string; interpreters: Interpreter[]; launcher: string }
  | { kind: 'none'; why: string }

/**
 * What this process builds with: `auto` takes docker where its engine answers, else podman, else the embedded engine where it can work, else
 * none. Throws `engine-unavailable` or `sandbox-unavailable` where the settings ask for one that cannot work, and `bad-settings` for targets
 * of a CPU that no engine is for.
 */
export async function chooseBuilder(settings: Settings, env: NodeJS.ProcessEnv, probe: typeof probeEngine = probeEngine): Promise<Chosen> {
  const chosen = await choose(settings, env, probe)
  if (chosen.kind === 'none') return chosen
  checkTargetCpus(settings, chosen.cpu)
  const others = await describeEngines(settings, (address) => probe({ kind: 'docker', address }))
  return { ...chosen, why: [chosen.why, ...others].join('; ') }
}

async function choose(settings: Settings, env: NodeJS.ProcessEnv, probe: typeof probeEngine): Promise<Chosen> {
  const { builder, role } = settings
  if (role === 'web') return { kind: 'none', why: 'none in this process: a worker builds (--role web)' }
  if (role === 'worker' && builder === 'none') throw new MuslinError('bad-settings', 'builder is none, but a worker does nothing but build; set builder to docker, podman or embedded, or role to web')
  if (builder === 'none') return { kind: 'none', why: 'none, as the settings say: the upstream is proxied and nothing is promised' }
  if (builder === 'embedded') return embedded(settings, env, '')
  const refused: (Probe & { ok: false })[] = []
  for (const kind of builder === 'auto' ? ['docker', 'podman'] as const : [builder]) {
    const found = await probe({ kind })
    if (found.ok) return { kind, cpu: found.cpu, why: `${kind} ${found.version}${builder === 'auto' ? foundByItself(refused) : ''}` }
    refused.push(found)
  }
  // Where nobody installed a client, its absence says nothing that the others do not.
  const reasons = (refused.some(({ client }) => client) ? refused.filter(({ client }) => client) : refused).map(({ why }) => why).join('; ')
  if (builder !== 'auto') throw new MuslinError('engine-unavailable', reasons)
  try {
    return await embedded(settings, env, foundByItself(refused))
  } catch (error) {
    if (!(error instanceof MuslinError)) throw error
    if (role === 'worker') throw new MuslinError('engine-unavailable', `${reasons}; and without it: ${error.detail}`)
    return { kind: 'none', why: `none: ${reasons}; and without it: ${error.detail}. The upstream is proxied and nothing is promised` }
  }
}

/** What comes last in a refusal is its remedy, which is not wanted where another engine works. */
function foundByItself(refused: { why: string }[]): string {
  return [', found by itself', ...refused.map(({ why }, at) => `${at === 0 ? ': ' : '; '}${why.slice(0, why.lastIndexOf(': '))}`)].join('')
}

async function embedded({ isolation, python }: Settings, env: NodeJS.ProcessEnv, since: string): Promise<Chosen> {
  const interpreters = await findInterpreters({ env, home: env['HOME'] ?? homedir(), named: python })
  const launcher = launcherOf(interpreters)
  if (launcher === undefined) throw new MuslinError('engine-unavailable', 'the embedded engine finds no CPython with its headers on this machine: install one, or name it by --python')
  const sandbox = await probeSandbox({ isolation, launcher })
  if (!sandbox.ok) throw new MuslinError('sandbox-unavailable', sandbox.why)
  const { cpu } = thisMachine()
  const targets = interpreterTargets({ interpreters, targets: [], cpu })
  if (targets.length === 0) {
    const missing = interpreters.find((one) => one.missing !== undefined)?.missing
    throw new MuslinError('engine-unavailable', `the embedded engine finds no CPython with its headers on this machine: ${missing ?? 'install one, or name it by --python'}`)
  }
  const minors = targets.toSorted((a, b) => a.minor - b.minor).map(({ major, minor }) => `${major}.${minor}`)
  return { kind: 'embedded', cpu, interpreters, launcher, why: `embedded (${sandbox.how}, zig, CPython ${minors.join(', ')})${since}` }
}

/** What wheels are made for: the settings' targets, and with the embedded engine every CPython that it builds with. */
export function targetsOf(settings: Settings, chosen: Chosen): string[] {
  const own = chosen.kind === 'embedded' ? interpreterTargets({ interpreters: chosen.interpreters, targets: [], cpu: chosen.cpu }) : []
  return [...new Set([...settings.targets, ...own.map(({ name }) => name)])].sort()
}
