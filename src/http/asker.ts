import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Context } from 'koa'
import { parseUserAgent } from '../domain/client.ts'
import { MuslinError } from '../errors.ts'
import type { Asker } from '../services/admission.ts'
import type { Auth } from '../services/sessions.ts'
import { originOf } from './origin.ts'
import { createTokenCheck, tokenOf } from './token.ts'

/** Who sent this request. `trustedProxies` are addresses or networks (`10.0.0.0/8`): their `X-Forwarded-For` is believed, nobody else's. */
export function createAskers({ trustedProxies, adminTokenSha256, publicUrl }: {
  trustedProxies: string[]
  /** Of the admin's token, hex; undefined where there is none. */
  adminTokenSha256: string | undefined
  publicUrl: string | undefined
}): (ctx: Context) => Asker {
  const addressOf = createAddressOf({ trustedProxies })
  const isToken = createTokenCheck(adminTokenSha256)
  return (ctx) => ({
    client: parseUserAgent(ctx.req.headers['user-agent']),
    address: addressOf(ctx.req),
    admin: isToken(tokenOf(ctx.get('Authorization'))) || isLoggedIn(ctx, publicUrl),
    host: ctx.req.headers.host,
    site: ctx.get('Sec-Fetch-Site') || undefined,
  })
}

/** The client's own address, proxies that are trusted left out. */
export type AddressOf = (req: IncomingMessage) => string

export function createAddressOf({ trustedProxies }: { trustedProxies: string[] }): AddressOf {
  const trusted = proxyList(trustedProxies)
  return ({ socket, headers }) => clientAddress(socket.remoteAddress ?? '', String(headers['x-forwarded-for'] ?? ''), trusted)
}

export function isTls(ctx: Context): boolean {
  return (ctx.req.socket as TLSSocket).encrypted === true
}

/** Whether who asks is on the machine that this server runs on: then both ends of the connection have one address. */
export function isThisMachine({ address }: Asker, { req: { socket } }: Context): boolean {
  return socket.remoteAddress === socket.localAddress && plainAddress(socket.remoteAddress ?? '') === address
}

/** A browser with a session, unless a page of somebody else's may have sent it here: its GET would start a build. */
function isLoggedIn(ctx: Context, publicUrl: string | undefined): boolean {
  const auth = ctx.state['auth'] as Auth | undefined
  return auth?.session !== undefined && originOf(ctx, publicUrl) === 'own'
}

function proxyList(entries: string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    try {
      if (bits === undefined) list.addAddress(address, family)
      else list.addSubnet(address, Number(bits), family)
    } catch (cause) {
      throw new MuslinError('bad-settings', `trustedProxies: ${entry} is neither an address nor a network such as 10.0.0.0/8`, { cause })
    }
  }
  return list
}

/** Each proxy appends whom it heard from: the last one that no trusted proxy vouches for is the client. */
function clientAddress(peer: string, forwardedFor: string, trusted: BlockList): string {
  const heard = forwardedFor.split(',').map((name) => plainAddress(name.trim())).filter((name) => name !== '')
  let client = plainAddress(peer)
  while (isTrusted(client, trusted)) {
    const before = heard.pop()
    if (before === undefined || isIP(before) === 0) break
    client = before
  }
  return client
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const family = isIP(address)
  return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** An IPv4 client of a socket that listens on both families is written `::ffff:10.0.0.1`. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
