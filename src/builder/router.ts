/** One builder for the builders of several CPUs. */
import type { Logger } from 'pino'
import { parseTarget } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { Builder, BuildWork } from '../services/ports.ts'

/**
 * A builder that hands each piece of work to the one for its target's CPU. `own` is here; the `others`, by their CPU, may be far away, and
 * nobody waits for an engine that does not answer: what it last said of its targets counts, and it is swept beside everything else. What
 * dead workers left there takes its memory: its targets are those of one that was swept, or would not be.
 * Work for a CPU that none is for throws `image-unavailable`.
 */
export function createBuilderRouter({ own, others, log }: { own: { cpu: string; builder: Builder }; others: Map<string, Builder>; log: Logger }): Builder {
  const far = [...others].map(([cpu, builder]) => ({ cpu, builder, targets: new Map<string, string>(), asking: false, swept: false }))
  const cpus = new Map([...others, [own.cpu, own.builder]])

  function builderFor({ job }: BuildWork): Builder {
    const builder = cpus.get(parseTarget(job.target)?.cpu ?? '')
    if (!builder) throw new MuslinError('image-unavailable', `${job.target} cannot be built on ${[...cpus.keys()].join(' or ')}: name an engine of that CPU by --engine`)
    return builder
  }

  async function ask(one: (typeof far)[number]): Promise<void> {
    if (one.asking) return
    one.asking = true
    one.targets = await one.builder.targets().catch((error: unknown) => {
      log.error({ err: error, cpu: one.cpu }, 'an engine does not say what it can build')
      return new Map<string, string>()
    })
    one.asking = false
  }

  async function sweep(one: (typeof far)[number]): Promise<void> {
    const { cpu, builder } = one
    try {
      const swept = await builder.sweep()
      if (swept > 0) log.warn({ swept, cpu }, 'removed what a dead worker left in an engine')
    } catch (error) {
      log.error({ err: error, cpu }, 'an engine could not be swept')
    }
    one.swept = true
  }

  return {
    async targets() {
      for (const one of far) void ask(one)
      const here = await own.builder.targets()
      return new Map([...here, ...far.flatMap(({ targets, swept }) => swept ? [...targets] : [])])
    },
    metadata: async (work) => builderFor(work).metadata(work),
    build: async (work) => builderFor(work).build(work),
    async sweep() {
      for (const one of far) void sweep(one)
      return own.builder.sweep()
    },
  }
}
