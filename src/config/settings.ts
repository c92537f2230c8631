/** What Muslin can be told. `options.ts` says what each is for. */
export interface Settings {
  role: 'all' | 'web' | 'worker'
  /** An address, or `auto`: all interfaces with a container engine, loopback without. */
  host: string
  port: number
  publicUrl: string | undefined
  tlsCert: string | undefined
  tlsKey: string | undefined
  allowedHosts: string[]
  data: string
  /** URLs, in order; none: what pip uses. May hold credentials: never print them whole. */
  upstream: string[]
  /** Upstreams with details, in order, by name; they come before those of `upstream`. */
  upstreams: Record<string, UpstreamTable>
  upstreamCa: string | undefined
  /** `host` or `host:port`. */
  allowedFileHosts: string[]
  /** May hold credentials: never print it whole. */
  apkMirror: string | undefined
  /** May hold credentials: never print it whole. */
  cratesIndex: string | undefined
  targets: string[]
  builder: 'auto' | 'docker' | 'podman' | 'embedded' | 'none'
  /** CPU, as in platform tags → address of an engine, as DOCKER_HOST has it. */
  engines: Record<string, string>
  /** Executables of CPythons for the embedded engine, beside those that it finds. */
  python: string[]
  isolation: 'sandbox' | 'none'
  /** Target → image. */
  builderImages: Record<string, string>
  cleanImages: Record<string, string>
  workers: number
  /** Bytes that all builds of a worker may use together. */
  workerMemory: number
  /** Cores, bytes, bytes, seconds. */
  limits: { cpu: number; memory: number; disk: number; time: number }
  fetchNetwork: string | undefined
  fetchUrl: string | undefined
  trustedProxies: string[]
  behindProxy: boolean
  xAccel: string | undefined
  /** Seconds. */
  holdLimit: number | undefined
  /** New compiles per client and hour. */
  buildsPerClient: number
  metadataPerClient: number
  aheadPerClient: number
  queueLimit: number
  /** Seconds. */
  pageFreshness: number
  /** Bytes. */
  pageCacheSize: number
  /** Nothing is asked of other servers than this one. */
  offline: boolean
  /** Patterns of projects and releases. None at all allow nothing; undefined: everything. */
  allow: string[] | undefined
  deny: string[]
  /** Seconds. */
  cooldown: number
  cooldownExempt: string[]
  /** By their names. */
  views: Record<string, ViewSettings>
  /** Bytes. */
  cacheSize: number | undefined
  logLevel: string
}

/** `[upstreams.NAME]`; `upstream-table.ts` says what each is for. */
export interface UpstreamTable {
  /** May hold credentials, as the next two do: never print it whole. */
  url: string
  username?: string
  password?: string
  usernameFile?: string
  passwordFile?: string
  projects?: string[]
  exclusive?: boolean
  merge?: string[]
  ca?: string
  proxy?: string
}

/** What one view leaves out, beside what the server does. */
export interface ViewSettings {
  allow?: string[] | undefined
  deny?: string[]
  /** Seconds. */
  cooldown?: number
  cooldownExempt?: string[]
  before?: string
}

/** The settings with nested ones under dotted names. */
export type FlatSettings = Omit<Settings, 'limits'> & { [K in keyof Settings['limits'] as `limits.${K}`]: Settings['limits'][K] }

export type OptionName = keyof FlatSettings

/** A value as it was given, and where: `--port`, `MUSLIN_PORT`, `muslin.toml`. */
export interface Given { value: unknown; from: string }

export type GivenSettings = Partial<Record<OptionName, Given>>
