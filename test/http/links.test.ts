import type { Context } from 'koa'
import { describe, expect, test } from 'vitest'
import { createLinks } from '../../src/http/links.ts'
import { createAdmission } from '../../src/services/admission.ts'
import { manualClock } from '../manual-clock.ts'

const admission = createAdmission({ clock: manualClock(), hosts: ['muslin.internal', 'wheels.example'], buildsPerClient: 1, metadataPerClient: 1, aheadPerClient: 1, queueLimit: 1 })
const came = (host: string | undefined, encrypted = false) => ({ req: { headers: { host }, socket: { encrypted } } }) as unknown as Context
/** What each link is for a client that came by this name. */
const links = (publicUrl: string | undefined, ctx: Context) => {
  const { root, build, here } = createLinks({ admission, publicUrl })
  return [root(ctx), build(ctx, 7), here(ctx)]
}

describe('with publicUrl', () => {
  const base = 'https://wheels.example/muslin'
  const seven = `${base}/b/7`

  test.each([
    ['its own host', 'wheels.example', base],
    ['an upstream address in a proxy', '127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['a name of this machine', 'muslin.internal:8080', 'http://muslin.internal:8080'],
    ['the host inside a container', 'host.docker.internal:8080', 'http://host.docker.internal:8080'],
    ['a strange name', 'evil.example', base],
    ['no name', undefined, base],
  ])('a person is sent there, and a machine stays where it is, who came by %s', (_, host, here) => {
    expect(links(`${base}/`, came(host))).toEqual([base, seven, here])
  })

  test('a name and password in it are shown to nobody', () => {
    expect(links('https://name:word@wheels.example/', came('wheels.example'))).toEqual(['https://wheels.example', 'https://wheels.example/b/7', 'https://wheels.example'])
  })
})

describe('without it', () => {
  test('all are under the name that the client used', () => {
    expect(links(undefined, came('10.0.0.1:8080'))).toEqual(['http://10.0.0.1:8080', 'http://10.0.0.1:8080/b/7', 'http://10.0.0.1:8080'])
    expect(links(undefined, came('muslin.internal', true))).toEqual(['https://muslin.internal', 'https://muslin.internal/b/7', 'https://muslin.internal'])
  })

  test('a strange name is repeated to nobody', () => {
    expect(links(undefined, came('evil.example'))).toEqual([undefined, '/b/7', undefined])
  })

  test('there is no link to a build that is not known', () => {
    expect(createLinks({ admission, publicUrl: undefined }).build(came('localhost'), undefined)).toBeUndefined()
  })
})
