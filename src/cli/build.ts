import type { Command } from 'commander'
import { pin, several } from './arguments.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { followJobs } from './follow-jobs.ts'

/** `muslin build PROJECT[==VERSION]`: one build now, with its log as it grows. */
export function addBuild(program: Command, context: Context): void {
  const command = program.command('build')
    .description('Build one release now and show its log; of a project without a version the newest one that has an sdist.')
    .argument('<PROJECT[==VERSION]>', 'What to build.', pin)
    .option('--target <TARGET>', 'What to build it for; may be given several times. Default: all that can be built for now.', several)
    .option('--no-publish', 'Build, verify and try the wheel, but do not keep it.')
  addServerFlags(command).action((pinned: ReturnType<typeof pin>) => {
    const { target, publish, json = false } = command.opts<{ target?: string[]; publish: boolean; json?: boolean }>()
    return withServer(command, context, async (api) => {
      const jobs = await api.order({ ...pinned, ...target && { targets: target }, ...!publish && { publish } })
      await followJobs(jobs, { api, context, json, replay: false })
    })
  })
}
