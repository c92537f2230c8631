import { MuslinError } from '../errors.ts'
import type { Pip } from './pip.ts'
import { askPip } from './pip.ts'

/** Where pages and files come from. */
export interface FoundUpstream {
  /** With its credentials: never print it whole. */
  url: string
  /** Where it came from, for the start's printout. */
  from: string
}

/**
 * The upstream to proxy: the setting, else what pip on this machine uses (PIP_INDEX_URL, pip's configuration, pip's own
 * default). No index is named in the code, so that a team's pip settings are honoured and closed sites work unchanged.
 * Throws `no-upstream`, or `bad-settings` where what was found is no http URL.
 */
export async function findUpstream(input: {
  /** The setting `upstream`. */
  setting: string | undefined
  env?: Record<string, string | undefined>
  /** Asked of this machine where it is not given. */
  pip?: Pip | undefined
}): Promise<FoundUpstream> {
  const { setting, env = process.env } = input
  if (setting !== undefined) return checked(setting, 'the setting upstream')
  if (env['PIP_INDEX_URL']) return checked(env['PIP_INDEX_URL'], 'PIP_INDEX_URL')
  const pip = 'pip' in input ? input.pip : await askPip(env)
  const configured = pip?.config.get('index-url')
  if (pip && configured) return checked(configured.value, `pip's configuration (${configured.section}.index-url, asked of ${pip.command})`)
  const own = await pip?.defaultIndex()
  if (pip && own !== undefined) return checked(own, `pip's own default (asked of ${pip.command})`)
  throw new MuslinError('no-upstream', `${pip ? `${pip.command} names no index` : 'there is no pip on this machine to ask'}; give --upstream URL, MUSLIN_UPSTREAM or PIP_INDEX_URL`)
}

function checked(url: string, from: string): FoundUpstream {
  const { protocol } = URL.parse(url) ?? {}
  if (protocol === 'http:' || protocol === 'https:') return { url, from }
  throw new MuslinError('bad-settings', `the upstream from ${from} is no http or https URL; give --upstream URL`)
}
