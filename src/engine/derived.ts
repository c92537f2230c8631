/** Images made from others by what a system run does in them, kept under what they were made from and for. */
import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { Engine, Run, RunLimits, RunSpec } from '../services/ports.ts'
import type { Given } from './arguments.ts'
import type { Cli } from './cli.ts'
import { findImage, type FoundImage } from './image.ts'
import { LABEL } from './labels.ts'

const NAME = 'muslin-derived'
const COMMIT_MS = 10 * 60_000
const GB = 1 << 30
/** What unpacking a compiler takes, with the files it comes from in memory. */
const LIMITS: RunLimits = { cpu: Infinity, memoryBytes: 4 * GB, diskBytes: 3 * GB, processes: 256 }

/**
 * `start` makes a run with more labels; `keep` is how many images of `instance` stay at a sweep: those that this process used last, then
 * the newest. `short` tells instances on one engine apart, so that none removes what another uses.
 */
export function createDerived({ cli, instance, short, keep, start, log }: {
  cli: Cli
  instance: string
  short: string
  keep: number
  start: (run: RunSpec, more: Pick<Given, 'labels' | 'bare'>) => Promise<Run>
  log: Logger
}) {
  const making = new Map<string, Promise<{ ref: string; digest: string }>>()
  /** References, the one used last at the end. */
  const used = new Set<string>()

  const derive: NonNullable<Engine['derive']> = async (base, key, make) => {
    const found = await findImage(cli, base)
    if (!found) throw new MuslinError('image-unavailable', `${base} is not on this engine any more: it is made ready again at the next build`)
    const digest = createHash('sha256').update(JSON.stringify([found.digest, key])).digest('hex')
    const ref = `${NAME}:${digest.slice(0, 12)}-${short}`
    const made = making.get(ref) ?? once(found, { ref, digest, base, key, make }).finally(() => making.delete(ref))
    making.set(ref, made)
    await made
    used.delete(ref)
    used.add(ref)
    return made
  }

  async function once(found: FoundImage, { ref, digest, base, key, make }: { ref: string; digest: string; base: string; key: string; make: (run: Run) => Promise<void> }) {
    if (await findImage(cli, ref)) return { ref, digest }
    log.info({ image: ref, base, key }, 'deriving an image')
    const run = await start(
      { image: base, label: `derive ${key}`.slice(0, 200), user: '0:0', system: true, network: 'none', limits: LIMITS, writable: ['/tmp'] },
      { labels: { [LABEL.digest]: digest, [LABEL.key]: key }, bare: !found.config.Entrypoint?.length },
    )
    try {
      await make(run)
      // Another process may have made it meanwhile: its name would move, and leave an image without one.
      if (!await findImage(cli, ref)) await cli.must(['commit', ...restoring(found.config), run.id, ref], { timeout: COMMIT_MS })
    } finally {
      await run.remove()
    }
    return { ref, digest }
  }

  /** Removes what is not kept; the engine itself refuses while a container uses it. */
  async function sweep(): Promise<void> {
    const filters = ['--filter', `label=${LABEL.instance}=${instance}`, '--filter', `label=${LABEL.key}`]
    const text = await cli.must(['image', 'ls', '--no-trunc', ...filters, '--format', '{{.ID}} {{.Tag}}'])
    // The engine lists the newest first.
    const images = text.split('\n').filter((line) => line !== '').map((line) => line.split(' '))
    const named = images.flatMap(([, tag = '']) => tag === '<none>' ? [] : [`${NAME}:${tag}`])
    const last = [...used].reverse().filter((ref) => named.includes(ref))
    const stale = [...last, ...named.filter((ref) => !used.has(ref))].slice(keep).filter((ref) => !making.has(ref))
    for (const ref of [...stale, ...images.flatMap(([id = '', tag]) => tag === '<none>' ? [id] : [])]) {
      await cli.run(['image', 'rm', ref])
      used.delete(ref)
    }
  }

  return { derive, sweep }
}

/** A commit takes the container's configuration, which is that of an idle run, but for what it is told. */
function restoring({ User, Entrypoint, Cmd, WorkingDir }: FoundImage['config']): string[] {
  return [
    `USER ${User || '0'}`,
    `WORKDIR ${WorkingDir || '/'}`,
    // In this order: naming an entrypoint takes the command away.
    ...(Entrypoint?.length ? [`ENTRYPOINT ${JSON.stringify(Entrypoint)}`] : []),
    // Where neither is named, docker keeps that of the container.
    `CMD ${JSON.stringify(Cmd?.length || Entrypoint?.length ? Cmd ?? [] : ['sh'])}`,
  ].flatMap((change) => ['--change', change])
}
