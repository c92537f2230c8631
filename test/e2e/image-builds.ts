/** Real `docker build`s by either builder, and what is left of them removed. */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Example } from './dockerfiles.ts'
import { CLEAN, cleanEnv, docker, LABEL, ROOT, type Lab } from './lab.ts'

export type Builder = 'buildkit' | 'classic'

export interface Build extends Example {
  tag: string
  builder?: Builder
  /** The image to start from; else one that has Python alone. */
  from?: string
  /** Files beside the Dockerfile, by name. */
  files?: Record<string, string>
  /** For `muslin docker-args` and for the docker client. */
  env?: Record<string, string>
  /** More words for `docker build`. */
  words?: string[]
}

export interface Built { code: number; output: string; image: string }

export type BuildImage = (build: Build) => Promise<Built>

/** Debian's client, 20.10, brings BuildKit along where the first on the PATH is a newer one without buildx. */
const CLIENTS = ['docker', '/usr/bin/docker']

/** Seconds. */
const LONGEST = 300

/**
 * Gives what runs an example's own command in a fresh folder, where `./muslin` is ours and `docker build` is told in addition not to
 * use its cache and how to call the image. Every image is made from one that bears this run's label, so that all can be found again.
 */
export async function imageBuilder(lab: Lab): Promise<BuildImage> {
  const base = `muslin-test-images-base:${process.pid}`
  const tags = [base]
  const clients = { classic: 'docker', buildkit: await buildkitClient() }
  const cached = await cacheIds()
  lab.onClose(async () => {
    await execa('docker', ['rmi', '-f', ...tags], { env: cleanEnv(), extendEnv: false, reject: false })
    await docker(['image', 'prune', '-f', '--filter', `label=${LABEL}`])
    await pruneCache(cached)
  })
  await execa('docker', ['build', '-q', '-t', base, '--label', LABEL, '-'], { env: cleanEnv({ DOCKER_BUILDKIT: '0' }), extendEnv: false, input: `FROM ${CLEAN}\n` })

  return async ({ dockerfile, command, tag, builder = 'buildkit', from = base, files = {}, env = {}, words = [] }) => {
    const image = `muslin-test-images-${tag}:${process.pid}`
    tags.push(image)
    const folder = await lab.folder()
    const context = {
      ...files, Dockerfile: dockerfile.replaceAll(/^FROM \S*python\S*/gm, `FROM ${from}`), '.dockerignore': 'muslin\nbuild.sh\n',
      muslin: `#!/bin/sh\nexec ${join(ROOT, 'muslin')} "$@"\n`,
      'build.sh': `docker() { shift; command ${clients[builder]} build --no-cache --force-rm ${builder === 'buildkit' ? '--progress plain' : ''} -t ${image} "$@" ${words.join(' ')}; }\n${command}\n`,
    }
    for (const [name, text] of Object.entries(context)) await writeFile(join(folder, name), text)
    await chmod(join(folder, 'muslin'), 0o755)
    // It ends the whole group of processes: the shell alone would leave its `docker build` at work.
    const { exitCode, all } = await execa('timeout', ['--kill-after=10', String(LONGEST), 'sh', '-eu', 'build.sh'], {
      cwd: folder, env: cleanEnv({ DOCKER_BUILDKIT: builder === 'buildkit' ? '1' : '0', ...env }), extendEnv: false, reject: false, all: true, stdin: 'ignore',
    })
    return { code: exitCode ?? -1, output: all, image }
  }
}

async function buildkitClient(): Promise<string> {
  for (const client of CLIENTS) {
    const run = await execa(client, ['build', '--help'], { env: cleanEnv({ DOCKER_BUILDKIT: '1' }), extendEnv: false, reject: false })
    if (run.exitCode === 0 && run.stdout.includes('--secret')) return client
  }
  throw new Error('no docker client here builds with BuildKit. On Debian: apt-get install docker.io, or add buildx to the one that is there')
}

async function cacheIds(): Promise<string[]> {
  const records = JSON.parse((await docker(['system', 'df', '-v', '--format', '{{json .BuildCache}}'])) || '[]') as { ID: string }[] | null
  return (records ?? []).map(({ ID }) => ID)
}

/** What was not in the build cache before: nobody else's, unless he built in the same minutes, whose next build then takes longer. */
async function pruneCache(before: string[]): Promise<void> {
  const ours = (await cacheIds()).filter((id) => !before.includes(id))
  if (ours.length > 0) await docker(['builder', 'prune', '-af', '--filter', `id=^(${ours.join('|')})`])
}
