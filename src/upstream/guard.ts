import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { MuslinError } from '../errors.ts'

/**
 * Networks of the IANA special-purpose registries (RFC 6890) that are no place of the internet, multicast, and what clouds answer on
 * besides. Not the networks for documentation (RFC 5737): they are nobody's, so nothing private is there, and closed networks give them to what they let out.
 */
const SPECIAL_V4 = networks('ipv4', [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.88.99.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4', '168.63.129.16/32',
])
/** All that is routed is in here (RFC 4291 section 2.4) … */
const GLOBAL_V6 = networks('ipv6', ['2000::/3'])
/** … but for these: among them ways into IPv4 (Teredo, 6to4), whatever they lead to. */
const SPECIAL_V6 = networks('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])
/** RFC 6052: IPv4 behind a translator, which networks without IPv4 have for every name. */
const TRANSLATED = networks('ipv6', ['64:ff9b::/96'])
const MAPPED = networks('ipv6', ['::ffff:0:0/96'])

/** Whether an address, v4 or v6, is one of the internet: not private, loopback, link-local, multicast, or a cloud's own. */
export function isPublic(address: string): boolean {
  const [plain = ''] = address.split('%', 1)
  if (isIP(plain) === 4) return !SPECIAL_V4.check(plain, 'ipv4')
  if (isIP(plain) !== 6) return false
  if (MAPPED.check(plain, 'ipv6') || TRANSLATED.check(plain, 'ipv6')) return isPublic(lastFour(plain))
  return GLOBAL_V6.check(plain, 'ipv6') && !SPECIAL_V6.check(plain, 'ipv6')
}

/** Throws `upstream-forbidden` where a URL's host says by itself that it is none of the internet; other names are looked at when they are connected to. */
export function refuseLocalHost(url: URL): void {
  const host = bare(url.hostname)
  if (isIP(host) !== 0 ? !isPublic(host) : /(^|\.)localhost\.?$/i.test(host)) throw forbidden(host)
}

/**
 * Connects as undici does, but to addresses of the internet alone. What counts is the address that is connected to: a name that is looked up once
 * to be judged, and again to be used, may have become another meanwhile.
 */
export function guardedConnector(options: buildConnector.BuildOptions, lookup: LookupFunction = systemLookup): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: publicOnly(lookup) } as buildConnector.BuildOptions)
  return (target, done) => {
    const host = bare(target.hostname)
    // An address is not looked up.
    if (isIP(host) !== 0 && !isPublic(host)) done(forbidden(host), null)
    else connect(target, done)
  }
}

function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, done) => lookup(hostname, options, (error, found, family) => {
    const addresses = typeof found === 'string' ? [found] : found?.map(({ address }) => address) ?? []
    // One among them is enough: which of them answers is not ours to choose.
    const refused = error === null && addresses.find((address) => !isPublic(address))
    if (typeof refused === 'string') done(forbidden(hostname, refused), '', 0)
    else done(error, found, family)
  })
}

function forbidden(host: string, address?: string): MuslinError {
  const where = address === undefined ? `${host}, which is` : `${host}, which is at ${address},`
  return new MuslinError('upstream-forbidden', `a page or a redirect of the upstream leads to ${where} an address of a private or special network; if that is meant, name the host in the setting allowedFileHosts`)
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** The IPv4 address in the last 32 bits of an IPv6 one. */
function lastFour(address: string): string {
  const dotted = /:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  if (dotted !== undefined) return dotted
  // As URLs write it: no more than one `::`, groups without leading zeros.
  const [high = '0', low = '0'] = bare(new URL(`http://[${address}]/`).hostname).split(':').slice(-2).map((group) => group || '0')
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.')
}

function networks(family: 'ipv4' | 'ipv6', list: string[]): BlockList {
  const blocks = new BlockList()
  for (const network of list) {
    const [address = '', bits] = network.split('/')
    blocks.addSubnet(address, Number(bits), family)
  }
  return blocks
}
