import { nameMatcher } from '../domain/name-pattern.ts'
import type { Upstream } from '../services/ports.ts'
import { parseAddress, type Address } from './address.ts'
import { createSeveral, type Member } from './several.ts'
import { createUpstream, type UpstreamInput } from './upstream.ts'

/** An upstream as the settings describe it. */
export interface UpstreamSource {
  /** Its own; the address where the settings give none. */
  name: string
  /** With its credentials: never print it whole. */
  url: string
  /** What it was found by, for people; and what sets it, for errors. */
  from: string
  setting: string
  ca: string[] | undefined
  proxies: UpstreamInput['proxies']
  /** Patterns of the names that are asked here; all where there are none. */
  projects: string[]
  /** Whether the names of `projects` are asked nowhere else. */
  exclusive: boolean
  /** Patterns of the names whose files stand beside those of other upstreams. */
  merge: string[]
}

/** An upstream for people, in one line and without credentials: where it is, what it was found by, and for which names it is. */
export function sourceText({ url, from, projects, exclusive, merge }: UpstreamSource): string {
  const names = projects.length === 0 ? '' : `, for ${projects.join(', ')}${exclusive ? ' alone, which are asked nowhere else' : ' alone'}`
  return `${parseAddress(url).label}, from ${from}${names}${merge.length === 0 ? '' : `, beside others for ${merge.join(', ')}`}`
}

/** The upstreams of the settings, in their order, as one. `allowedFileHosts` are `host` or `host:port`. Nothing is asked before it is used. */
export function createUpstreams({ sources, allowedFileHosts = [], ...shared }: Omit<UpstreamInput, 'url' | 'setting' | 'ca' | 'proxies' | 'trusted' | 'mayName'> & {
  sources: UpstreamSource[]
  allowedFileHosts?: string[]
}): Upstream & { close(): Promise<void> } {
  const addresses = sources.map(({ url }) => parseAddress(url))
  const hosts = new Set(allowedFileHosts.map((host) => host.toLowerCase()))
  const trusted = (url: URL): boolean => hosts.has(url.hostname) || hosts.has(url.host)
  const secret = addresses.filter((address) => address.authorization(address.base) !== undefined)
  const members = sources.map(({ name, url, setting, ca, proxies, projects, exclusive, merge }, at): Member => {
    const address = addresses[at]!
    const asked = nameMatcher(projects)
    return {
      // What is kept of a table whose url has changed since is another server's.
      name: URL.canParse(name) ? address.label : `${name} ${address.label}`,
      upstream: createUpstream({ ...shared, url, setting, ca, proxies, trusted, mayName: mayNameOf(address) }),
      asksAll: projects.length === 0,
      asks: (project) => projects.length === 0 || asked(project),
      claims: (project) => exclusive && asked(project),
      merges: nameMatcher(merge),
      address,
    }
  })
  return createSeveral({ members, log: shared.log })

  /** No page may have us fetch with the credentials of another upstream what it names. On one host they are one team's. */
  function mayNameOf({ base }: Address): ((file: URL) => boolean) | undefined {
    const others = secret.filter((other) => other.base.origin !== base.origin)
    return others.length === 0 ? undefined : (file) => !others.some((other) => other.covers(file))
  }
}
