import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether a text is the admin's token, compared in constant time; never, where there is none (`sha256`: its digest, hex). */
export function createTokenCheck(sha256: string | undefined): (token: string) => boolean {
  return (token) => sha256 !== undefined && token !== '' && timingSafeEqual(createHash('sha256').update(token).digest(), Buffer.from(sha256, 'hex'))
}

/** A bearer token, or the password of a URL such as `https://token:…@host/simple/`, which is all that installers can send. */
export function tokenOf(authorization: string): string {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return ''
  return Buffer.from(value, 'base64').toString().split(':').slice(1).join(':')
}
