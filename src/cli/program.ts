import { Command } from 'commander'
import about from '../../package.json' with { type: 'json' }
import { addBackup } from './backup.ts'
import { addBuild } from './build.ts'
import { addCancel } from './cancel.ts'
import type { Context } from './context.ts'
import { addDockerArgs } from './docker-args.ts'
import { addDoctor } from './doctor.ts'
import { EXIT_HELP } from './ending.ts'
import { addFsck } from './fsck.ts'
import { addGc } from './gc.ts'
import { addJob } from './job.ts'
import { addJobs } from './jobs.ts'
import { addPause, addResume } from './pause.ts'
import { addPlan } from './plan.ts'
import { addLockHashes } from './lock-hashes.ts'
import { addOutdated } from './outdated.ts'
import { addPrebuild } from './prebuild.ts'
import { addRebuild } from './rebuild.ts'
import { addRecipe } from './recipe.ts'
import { addRestore } from './restore.ts'
import { addRefresh } from './refresh.ts'
import { addRetry } from './retry.ts'
import { addServe } from './serve.ts'
import { addTargets } from './targets.ts'
import { addWatch } from './watch.ts'

const COMMANDS = [addServe, addBuild, addPlan, addPrebuild, addLockHashes, addRebuild, addOutdated, addJobs, addJob, addCancel, addRetry, addPause, addResume, addRefresh, addWatch, addRecipe, addTargets, addGc, addFsck, addBackup, addRestore, addDoctor, addDockerArgs]

/** The command line. It throws commander's errors instead of ending the process. */
export function createProgram(context: Context): Command {
  const program = new Command('muslin')
    .description(about.description)
    .version(about.version, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .addHelpText('afterAll', `\n${EXIT_HELP}`)
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.print(text.trimEnd()), writeErr: (text) => context.warn(text.trimEnd()) })
  // Commands take over what stands above when they are added, not later.
  for (const add of COMMANDS) add(program, context)
  return program
}
