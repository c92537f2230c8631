import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { Clock, RemoteFiles } from '../services/ports.ts'
import { parseAddress, type Address } from './address.ts'
import { streamedBody } from './body.ts'
import { conditional, validatorOf } from './conditional.ts'
import { refusal } from './failure.ts'
import type { Proxies, Timeouts } from './connections.ts'
import { createRequests, dismiss } from './requests.ts'
import { createRest } from './rest.ts'

const TIMEOUTS: Timeouts = { connect: 5_000, headers: 20_000, idle: 30_000 }
/** So many servers are remembered to be silent. */
const MOST_SERVERS = 100

/**
 * Files of other servers than the index. `address` is what the setting named `setting` says, if anything: its credentials go to it alone.
 * A server that cannot be reached, or does not answer in time, is left alone for some seconds. `close` ends its connections.
 */
export function createRemoteFiles({ address: own, setting, ca, proxies, instance, log, clock, timeouts = TIMEOUTS }: {
  address: string | undefined
  setting: string
  ca: string[] | undefined
  proxies?: Proxies | undefined
  instance: string
  log: Logger
  clock: Clock
  timeouts?: Timeouts
}): RemoteFiles & { close(): Promise<void> } {
  const address: Omit<Address, 'label'> = own === undefined ? NOWHERE : parseAddress(own)
  const requests = createRequests({ address: { label: '', ...address }, ca, proxies, instance, log, clock, timeouts, setting })
  const rests = new LRUCache<string, ReturnType<typeof createRest>>({ max: MOST_SERVERS })

  return {
    async get(text, validator) {
      const url = parse(text, setting)
      // Raw bytes: what a server labels as encoded is what other people's signatures are for.
      const headers = { 'accept-encoding': 'identity', ...conditional(validator) }
      const answer = await unlessResting(url.origin)(() => requests.get(url, headers))
      const { status } = answer
      if (status === 200) {
        const length = answer.headers['content-length']
        return {
          kind: 'file',
          body: streamedBody(answer.body, answer.url, { setting }),
          size: length === undefined ? undefined : Number(length),
          validator: validatorOf(answer.headers),
        }
      }
      dismiss(answer)
      if (status === 304 && validator !== undefined) return { kind: 'unchanged' }
      if (status === 404 || status === 410) return { kind: 'absent' }
      throw refusal(status, answer.url, setting)
    },
    close: () => requests.close(),
  }

  function unlessResting(origin: string): ReturnType<typeof createRest> {
    const rest = rests.get(origin) ?? createRest({ clock })
    rests.set(origin, rest)
    return rest
  }
}

const NOWHERE: Omit<Address, 'label'> = { base: new URL('http://nowhere.invalid/'), folder: '/', covers: () => false, authorization: () => undefined }

function parse(text: string, setting: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new MuslinError('bad-settings', `${JSON.stringify(text)} is no http or https URL; check the setting ${setting}`)
}
