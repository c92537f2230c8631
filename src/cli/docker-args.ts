import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readServerFile, type ServerFile } from '../config/data-folder.ts'
import { loadSettings } from '../config/load.ts'
import type { OptionName } from '../config/settings.ts'
import { DOCKER_HOST, isLoopback, isThisMachine } from '../domain/local.ts'
import { MuslinError } from '../errors.ts'
import type { Context } from './context.ts'
import { serverUrl } from './server-url.ts'
import { addSettingsFlags, givenFlags } from './settings-flags.ts'

const DEFAULT_PORTS: Record<string, number> = { 'http:': 80, 'https:': 443 }
const SETTINGS: readonly OptionName[] = ['data', 'publicUrl']

/** `muslin docker-args`: the words for `docker build $(muslin docker-args) .` */
export function addDockerArgs(program: Command, context: Context): void {
  const command = program.command('docker-args')
    .description('Print the words for: docker build $(muslin docker-args) .')
    .option('--name <ARG>', 'The build argument that takes the index URL.', 'PIP_INDEX_URL')
    .option('--server <URL>', 'The server to use. Default: MUSLIN_SERVER, else publicUrl, else the one that runs here.')
  addSettingsFlags(command, SETTINGS)
  command.action(async () => {
    const { name, server } = command.opts<{ name: string; server?: string }>()
    const settings = loadSettings({ flags: givenFlags(command, SETTINGS), env: context.env, cwd: context.cwd })
    const url = await serverUrl({ server, env: context.env, cwd: context.cwd, settings })
    const { words, warning } = dockerArgs(url, name)
    if (warning !== undefined) context.warn(warning)
    const own = await readServerFile(resolve(context.cwd, settings.data)).catch(() => undefined)
    if (own && isKeptFromContainers(url, own)) context.warn(`containers cannot reach ${url.origin}: it listens on ${own.host} alone; start it with --host 0.0.0.0`)
    context.print(words.join(' '))
  })
}

/**
 * The words for `docker build`, the same for the same server each time, since a changed argument costs the layer cache. Never a
 * credential, which a build argument would leave in the image's history: `warning` says how to pass it instead.
 */
export function dockerArgs(server: URL, name: string): { words: string[]; warning?: string } {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new MuslinError('bad-settings', `--name is ${JSON.stringify(name)}; accepted: a name of letters, digits and _`)
  const onThisMachine = isThisMachine(server.hostname)
  const host = onThisMachine ? DOCKER_HOST : server.hostname
  const hostWords = [
    // uv takes plain http as it is, and reads none of pip's variables.
    ...server.protocol === 'http:' && !name.startsWith('UV_') ? ['--build-arg', `PIP_TRUSTED_HOST=${host}`] : [],
    ...onThisMachine ? ['--add-host', `${DOCKER_HOST}:host-gateway`] : [],
  ]
  if (server.username !== '' || server.password !== '') {
    return {
      words: ['--secret', `id=${name},env=${name}`, ...hostWords],
      // Not by the mount's own `env`, which builders before BuildKit 0.15 refuse.
      warning: `the server's URL holds a credential, which a build argument would leave in the image: set ${name} to the index URL in the environment of docker build, and `
        + `have the line that installs begin with RUN --mount=type=secret,id=${name} ${name.startsWith('UV_') ? name : 'PIP_INDEX_URL'}="$(cat /run/secrets/${name})" (docs/docker.md)`,
    }
  }
  const index = new URL(`${server.pathname.replace(/\/+$/, '')}/simple/`, server)
  index.hostname = host
  return { words: ['--build-arg', `${name}=${index.href}`, ...hostWords] }
}

/** Whether this is the server of the data folder, and it listens where only this machine's own processes come. */
function isKeptFromContainers(url: URL, { host, port }: ServerFile): boolean {
  return isThisMachine(url.hostname) && Number(url.port || DEFAULT_PORTS[url.protocol]) === port && host !== undefined && isLoopback(host)
}
