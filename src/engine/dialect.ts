/** Where Docker and Podman say the same in different words. Everything else about them is one adapter. */
import { existsSync } from 'node:fs'
import { hardLimits } from './hard-limits.ts'
import { LABEL } from './labels.ts'

/** What stands behind a client; `cpu` as in a wheel's platform tag, `unlimited` what it cannot limit runs in. */
export interface Server { version: string; os: string; cpu: string; unlimited: string[] }

export interface Dialect {
  name: 'docker' | 'podman'
  title: string
  /** What is to be installed. */
  client: string
  /** The variable that says where the engine is, where that is not here. */
  address: string
  /** Arguments that have the client tell its address; undefined where the variable is all there is. */
  endpoint: string[] | undefined
  /** Variables of the client's own, beside PATH and HOME. */
  variables: string[]
  /** Where the client runs, if not here. */
  folder: string | undefined
  /** The command that tells of the server, and what its JSON says; undefined where that is not what is expected. */
  version: 'version' | 'info'
  server(answer: unknown): Server | undefined
  /** More arguments of a container that waits for commands. */
  container(): string[]
  /** More options of a place in memory that is the user's own. */
  tmpfs(uid: string, gid: string): string
  /** Arguments that leave a container without a resolver. */
  withoutNames: string[]
  /** Lists containers as name, space, process. */
  containerFormat: string
  /** Options of a network from which nothing but this machine is reached. */
  network: string[]
  /** Each fetch run has a network of its own, since runs on one network reach each other; there this machine has this name. */
  hostEach: string | undefined
  /** A network and the name of the machine there, where the engine is apart. */
  apart: { network: string; host: string }
  /**
   * Out of what `info` prints as JSON; undefined where no engine stands behind the client. `apart`: it is in a network of its own on the
   * client's machine.
   */
  facts(info: unknown): { cores: number; apart: boolean } | undefined
  /** Whether the kernel may have killed a container's first process for its memory without the engine's notice: it ended with 137 then. */
  missesKills: boolean
  /** Out of what `network inspect` prints as JSON. */
  seen(network: unknown): { closed: boolean; gateways: string[] }
}

const docker: Dialect = {
  name: 'docker',
  title: 'Docker',
  client: 'Docker\'s client',
  address: 'DOCKER_HOST',
  endpoint: ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'],
  variables: ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'],
  folder: undefined,
  missesKills: false,
  version: 'version',
  server(answer) {
    const { Version, Os, Arch } = (answer as { Server?: Record<string, unknown> }).Server ?? {}
    return typeof Version === 'string' ? { version: Version, os: String(Os), cpu: cpuOf(Arch), unlimited: [] } : undefined
  },
  container: () => [],
  tmpfs: (uid, gid) => `,uid=${uid},gid=${gid}`,
  // Older engines forward names that they do not know to the host's resolver even from an internal network (CVE-2024-29018).
  withoutNames: ['--dns', '127.0.0.1'],
  containerFormat: `{{.Names}} {{.Label "${LABEL.process}"}}`,
  network: ['--driver', 'bridge', '--internal', '--opt', 'com.docker.network.bridge.enable_icc=false'],
  hostEach: undefined,
  apart: { network: 'bridge', host: 'host.docker.internal' },
  facts(info) {
    const { NCPU, OperatingSystem } = info as { NCPU?: number; OperatingSystem?: string }
    // Older clients end well although no daemon answered.
    return NCPU ? { cores: NCPU, apart: OperatingSystem === 'Docker Desktop' } : undefined
  },
  seen(network) {
    const { Internal, IPAM } = network as { Internal?: boolean; IPAM?: { Config?: { Gateway?: string }[] } }
    return { closed: Internal === true, gateways: (IPAM?.Config ?? []).flatMap(({ Gateway }) => Gateway ?? []) }
  },
}

const podman: Dialect = {
  name: 'podman',
  title: 'Podman',
  client: 'podman',
  address: 'CONTAINER_HOST',
  endpoint: undefined,
  variables: [
    'CONTAINER_HOST', 'CONTAINER_SSHKEY', 'CONTAINER_CONNECTION', 'CONTAINERS_CONF', 'CONTAINERS_STORAGE_CONF', 'CONTAINERS_REGISTRIES_CONF', 'REGISTRY_AUTH_FILE',
    'STORAGE_DRIVER', 'STORAGE_OPTS', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'DBUS_SESSION_BUS_ADDRESS', 'TMPDIR',
  ],
  // Its conmon leaves a file named oom where it runs, if it can, whenever the kernel ends something in a run.
  folder: existsSync('/proc/self') ? '/proc' : undefined,
  missesKills: true,
  // Without a service of its own there is no server in its version.
  version: 'info',
  server(answer) {
    const { host, version } = answer as { host?: { os?: string; arch?: string; cgroupControllers?: string[] }; version?: { Version?: string } }
    if (version?.Version === undefined) return undefined
    // A plain user has those that were delegated to him, none at all on control groups of version 1.
    const unlimited = ['cpu', 'memory', 'pids'].filter((name) => !host?.cgroupControllers?.includes(name))
    return { version: version.Version, os: String(host?.os), cpu: cpuOf(host?.arch), unlimited }
  },
  container: () => [
    // Else it adds writable places, and this server's own proxies.
    '--read-only-tmpfs=false', '--http-proxy=false',
    ...ownLimits(),
  ],
  // Else it copies what the image has there. All may write there, since it names no owner.
  tmpfs: () => ',notmpcopyup',
  withoutNames: ['--dns', 'none'],
  containerFormat: `{{.Names}} {{index .Labels "${LABEL.process}"}}`,
  network: ['--driver', 'bridge', '--internal'],
  hostEach: 'host.containers.internal',
  apart: { network: 'podman', host: 'host.containers.internal' },
  facts(info) {
    const { host } = info as { host?: { cpus?: number; serviceIsRemote?: boolean; security?: { rootless?: boolean } } }
    return host?.cpus ? { cores: host.cpus, apart: host.serviceIsRemote === true || host.security?.rootless === true } : undefined
  },
  seen(network) {
    const { internal, subnets } = network as { internal?: boolean; subnets?: { gateway?: string }[] }
    return { closed: internal === true, gateways: (subnets ?? []).flatMap(({ gateway }) => gateway ?? []) }
  },
}

export const DIALECTS = { docker, podman }

/** Go's names of processors, where they differ from those of platform tags. */
const CPUS: Record<string, string> = { amd64: 'x86_64', arm64: 'aarch64', 386: 'i686', arm: 'armv7l' }

function cpuOf(name: unknown): string {
  return CPUS[String(name)] ?? String(name)
}

/**
 * Podman gives a container a million open files and processes unless told, which a root without CAP_SYS_RESOURCE, as in a container, may
 * not; and once one limit is told it reads none from its own settings.
 */
function ownLimits(): string[] {
  if (!existsSync('/proc/self/limits')) return []
  const hard = hardLimits()
  const files = Math.min(hard('Max open files'), 65_536)
  const processes = Math.min(hard('Max processes'), 16_384)
  return ['--ulimit', `nofile=${Math.min(1024, files)}:${files}`, '--ulimit', `nproc=${processes}:${processes}`]
}
