/**
 * Every setting of Muslin, in one table. Flags, environment variables, the keys of `muslin.toml`, the checks, the help texts and
 * `docs/configuration.md` all come from here.
 */
import type { Kind } from './kinds.ts'
import { amount, choice, duration, folderOfUrls, list, pairs, path, patterns, size, tables, text, url, urls, whole, yesNo } from './kinds.ts'
import type { Machine } from './machine.ts'
import type { FlatSettings, OptionName } from './settings.ts'
import { views } from './views.ts'

export interface Option<T> {
  kind: Kind<Exclude<T, undefined>>
  fallback: (machine: Machine) => T
  /** The default in words, where its value depends on the machine or says too little. */
  fallbackText?: string
  /** What it does: sentences for the help and the documentation. */
  text: string
  /** The flag's name, where it is not the option's own. */
  flag?: string
  /** Whether it has neither flag nor variable. */
  fileOnly?: true
}

const GIB = 1024 ** 3
const MIB = 1024 ** 2

export const OPTIONS: { [K in OptionName]: Option<FlatSettings[K]> } = {
  role: {
    kind: choice('all', 'web', 'worker'), fallback: () => 'all',
    text: 'What this process does: web answers requests, worker builds, all does both.',
  },
  host: {
    kind: text, fallback: () => 'auto', fallbackText: 'auto: all interfaces with a container engine, loopback without one',
    text: 'The address to listen on. Containers reach the server only if it listens on more than loopback.',
  },
  port: { kind: whole(0, 65535), fallback: () => 8080, text: 'The port to listen on; 0 takes a free one.' },
  publicUrl: {
    kind: url, fallback: () => undefined, fallbackText: 'the address it listens on',
    text: 'The URL under which people know this server: links, in what clients print too, are under it, and docker-args prints it. A path prefix works.',
  },
  tlsCert: { kind: path, fallback: () => undefined, fallbackText: 'plain http', text: 'The PEM file with the server\'s certificate chain. Needs tlsKey.' },
  tlsKey: { kind: path, fallback: () => undefined, fallbackText: 'plain http', text: 'The PEM file with the certificate\'s key. Needs tlsCert.' },
  allowedHosts: {
    kind: list('host names'), fallback: () => [],
    text: 'More names under which promises are listed and requests may start builds. IP addresses, localhost, this machine\'s name, host.docker.internal, host.containers.internal and publicUrl\'s host always may.',
  },
  data: { kind: path, fallback: () => './data', text: 'The folder for the database, the stored files and the build logs. It is created.' },
  upstream: {
    kind: urls, fallback: () => [], fallbackText: 'the index that pip on this machine uses',
    text: 'The simple index to proxy, or several in order: the first that knows a name has it, on page, file and metadata alike. Credentials in a URL are sent to its own address only; keep them in the environment or the file. [upstreams.md](upstreams.md) tells more.',
  },
  upstreams: {
    kind: tables, fallback: () => ({}), fileOnly: true,
    text: 'Upstreams with details, each a table `[upstreams.NAME]` in the file; its keys are below. They are asked in the order of the file, before those of upstream. A key can stand in the environment instead: `MUSLIN_UPSTREAMS_NAME_PASSWORD`.',
  },
  upstreamCa: {
    kind: path, fallback: () => undefined, fallbackText: 'Node\'s and the system\'s CAs, SSL_CERT_FILE and pip\'s cert setting',
    text: 'A PEM file with CAs to trust for the upstream, for apkMirror and for cratesIndex, beside those of the default.',
  },
  allowedFileHosts: {
    kind: list('hosts such as files.example or 10.0.0.5:8081'), fallback: () => [],
    text: 'Hosts at private addresses that pages and redirects of upstreams may lead to. Those of an upstream may always lead to its own host; any other must be at an address of the internet.',
  },
  apkMirror: {
    kind: url, fallback: () => undefined, fallbackText: 'where the builder image says',
    text: 'Where Alpine\'s apks come from, such as https://alpine.example/alpine: what stands before v3.21/main. Muslin keeps those that builds needed. Credentials in it are sent to its own address only.',
  },
  cratesIndex: {
    kind: url, fallback: () => undefined, fallbackText: 'what cargo on this machine is configured to use instead of its own registry; else projects in Rust are not built',
    text: 'The sparse index of crates, such as https://crates.example/index/, that projects in Rust are built from. Muslin keeps those that builds needed. Credentials in it are sent to its own address only.',
  },
  targets: {
    kind: list('targets such as cp313-musllinux_1_2_x86_64'),
    fallback: (machine) => machine.pythons.map((python) => `cp${python.replace('.', '')}-musllinux_1_2_${machine.cpu}`),
    fallbackText: 'each CPython in support on musllinux_1_2 and this CPU, each target with a ready builder image, and with the embedded engine each CPython that it finds',
    text: 'What wheels are made for.',
  },
  builder: {
    kind: choice('auto', 'docker', 'podman', 'embedded', 'none'), fallback: () => 'auto',
    text: 'What builds run in. auto takes docker if its engine answers, else podman if that does, else embedded (this machine\'s own CPython and zig, in a sandbox without containers) if it can work here, else none; with none Muslin is a proxy and promises nothing.',
  },
  engines: {
    kind: pairs('CPU', 'ADDRESS'), fallback: () => ({}), flag: 'engine', fallbackText: 'targets of the builder\'s own CPU alone',
    text: 'Engines for targets of other CPUs than the builder\'s own, each by its address as DOCKER_HOST has it, such as aarch64=tcp://arm.example:2375. Docker\'s client must be here; containers there reach this server at fetchUrl, else at publicUrl.',
  },
  python: {
    kind: list('paths of CPythons'), fallback: () => [], fallbackText: 'those on the PATH and under ~/.pyenv/versions',
    text: 'More CPythons for the embedded engine: one with its headers builds for its version, one that runs on musl tries the wheels of its version.',
  },
  isolation: {
    kind: choice('sandbox', 'none'), fallback: () => 'sandbox',
    text: 'How the embedded engine locks builds in. With none the code of every sdist runs with your own rights, files and network: for machines that are thrown away afterwards.',
  },
  builderImages: {
    kind: pairs('TARGET', 'IMAGE'), fallback: () => ({}), flag: 'builder-image', fallbackText: 'built by Muslin on first use',
    text: 'Ready-made images to compile in, by target: python3 with pip and venv, the compilers and -dev packages that your projects need, tar, auditwheel and patchelf; builds run in them as user 1000 on a read-only root.',
  },
  cleanImages: {
    kind: pairs('TARGET', 'IMAGE'), fallback: () => ({}), flag: 'clean-image', fallbackText: 'the official Alpine image of that Python',
    text: 'Images without compilers in which finished wheels are tried, by target: python3 with pip and tar.',
  },
  workers: { kind: whole(1, 64), fallback: () => 2, text: 'How many builds run at the same time, where their memory allows it.' },
  workerMemory: {
    kind: size, fallback: (machine) => Math.floor(machine.memory * 3 / 4), fallbackText: 'three quarters of this machine\'s',
    text: 'Memory that all builds together may use; with an engine on another machine, of that one. A build begins when what its project took last time, and a third more, is left; one of a project never built here counts as a quarter of all, or limits.memory where that is less. The first in the queue begins in any case once nothing else runs, and smaller ones pass it for two minutes at most.',
  },
  'limits.cpu': {
    kind: amount, fallback: (machine) => Math.min(2, machine.cores), fallbackText: '2, or 1 on a machine with one core',
    text: 'Cores that one build may use.',
  },
  'limits.memory': { kind: size, fallback: () => 4 * GIB, fallbackText: '4g', text: 'Memory that one build may use. What fetches its requirements beside it has a quarter as much, or up to 1g where that is more.' },
  'limits.disk': { kind: size, fallback: () => 4 * GIB, fallbackText: '4g', text: 'Bytes that one build may write. In containers, and in the embedded engine as root where control groups can be made, they lie in memory and count there while in use; else on the disk of the data folder.' },
  'limits.time': { kind: duration(1), fallback: () => 1800, fallbackText: '30m', text: 'How long one build may take, with all rounds that it is begun again for. What is fetched for it may take as long again; where it takes longer, the build is tried again by itself.' },
  fetchNetwork: {
    kind: text, fallback: () => undefined, fallbackText: 'an internal one, made by Muslin',
    text: 'The engine\'s network on which build requirements are fetched, on each engine where there are several. Only Muslin should be reachable on it.',
  },
  fetchUrl: {
    kind: url, fallback: () => undefined, fallbackText: 'the gateway of the fetch network',
    text: 'The URL under which containers on the fetch network reach this server. An engine on another machine needs it.',
  },
  trustedProxies: {
    kind: list('addresses or networks such as 10.0.0.0/8'), fallback: () => [],
    text: 'Reverse proxies whose X-Forwarded-For names the client. Without it all who come through a proxy are one client, with one share of buildsPerClient, metadataPerClient and aheadPerClient.',
  },
  behindProxy: {
    kind: yesNo, fallback: () => false,
    text: 'Treat every connection as one through a proxy, for proxies that leave no trace in the headers: clients are then held by redirects and 503s.',
  },
  xAccel: {
    kind: folderOfUrls, fallback: () => undefined, fallbackText: 'Muslin sends all files itself',
    text: 'The internal location of an nginx in front, such as /muslin-blobs/, which sends the kept files from the folder blobs of the data folder in our place. How nginx is set up for it is in [files.md](files.md).',
  },
  holdLimit: {
    kind: duration(1), fallback: () => undefined, fallbackText: 'as long as the client can be held',
    text: 'How long a client waits for one wheel in all. Then it is told that the build goes on, and to run again. How long each client can be held is in [waiting.md](waiting.md).',
  },
  buildsPerClient: { kind: whole(0, 1_000_000), fallback: () => 100, text: 'New compiles that one client may start in an hour. Joining one that is there counts as none.' },
  metadataPerClient: { kind: whole(0, 1_000_000), fallback: () => 1000, text: 'New metadata steps that one client may start in an hour; they run code of the sdist too. A resolver asks for the metadata of many releases that it then leaves, so there are more of them than of compiles.' },
  aheadPerClient: { kind: whole(0, 1_000_000), fallback: () => 20, text: 'New compiles that one client may start in a minute by asking for metadata alone, so that wheels are built side by side before they are asked for one by one. Beyond it, and with 0, each begins when its wheel is asked for.' },
  queueLimit: { kind: whole(0, 1_000_000), fallback: () => 500, text: 'Builds and metadata steps that may wait at the same time, together; what Muslin tries again by itself, and prebuilds, are not counted.' },
  pageFreshness: {
    kind: duration(0), fallback: () => 60, fallbackText: '60s',
    text: 'How long an upstream page is served without asking the upstream again, where the upstream itself does not allow less. From then on it is asked, and until its own max-age and stale-while-revalidate are over nobody waits for its answer: [freshness.md](freshness.md).',
  },
  offline: {
    kind: yesNo, fallback: () => false,
    text: 'Ask nothing of the upstream, of apkMirror or of cratesIndex: what was seen before is served, and what was not is refused with 503.',
  },
  pageCacheSize: { kind: size, fallback: () => 48 * MIB, fallbackText: '48m', text: 'Memory for pages that are ready to be sent, compressed; those asked for least recently are made again when they are asked for. A page of a large project takes 0.5 MB, most take 10 kB; HTML, JSON and each way of compression are pages of their own.' },
  allow: { kind: patterns, fallback: () => undefined, fallbackText: 'everything', text: 'The only projects and releases that are served, to builds too: on pages, as files and as metadata. An empty list serves none. [views.md](views.md) has the rules.' },
  deny: { kind: patterns, fallback: () => [], text: 'Projects and releases that are not served, whatever allows them.' },
  cooldown: { kind: duration(0), fallback: () => 0, fallbackText: 'none', text: 'How old an upstream file must be before it is served. One without upload-time is as old as Muslin has known it.' },
  cooldownExempt: { kind: patterns, fallback: () => [], text: 'Projects and releases without a cooldown, on views too: your own, and a release that cannot wait, as NAME==VERSION.' },
  views: { kind: views, fallback: () => ({}), text: 'Views with rules of their own, served at /view/NAME/simple/: each a table [views.NAME] with allow, deny, cooldown, cooldownExempt and before. They leave out files beside what the server does. [views.md](views.md) has examples.' },
  cacheSize: {
    kind: size, fallback: () => undefined, fallbackText: 'unlimited',
    text: 'How much room files of the upstream may take: beyond it those go that were not used for longest, and are fetched again when they are asked for. Never what builds made or need, pages, METADATA, apks and crates, or what the upstream offers no more. What went is gone while the upstream is. See [storage.md](storage.md).',
  },
  logLevel: { kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal'), fallback: () => 'info', text: 'The least level that is logged, as JSON lines on standard error.' },
}

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[]

/** `--public-url` for publicUrl, `--limits-cpu` for limits.cpu. */
export function flagName(name: OptionName): string {
  return `--${OPTIONS[name].flag ?? name.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `MUSLIN_PUBLICURL` for publicUrl, `MUSLIN_LIMITS_CPU` for limits.cpu. */
export function variableName(name: OptionName): string {
  return `MUSLIN_${name.replace('.', '_').toUpperCase()}`
}
