import { readFile } from 'node:fs/promises'
import { getCACertificates } from 'node:tls'
import { MuslinError } from '../errors.ts'
import type { Pip } from './pip.ts'
import { askPip } from './pip.ts'

/**
 * The CAs to trust for the upstream, as PEM texts: Node's own, the system's, those of SSL_CERT_FILE, of the file that pip's
 * `cert` setting names, and of the setting `upstreamCa`. Plain Node knows only the first, and a company's own CA is in the rest.
 * Throws `bad-settings` where `upstreamCa` cannot be read; other files that cannot be read count as absent, as they do for pip.
 */
export async function upstreamCertificates(input: {
  /** The setting `upstreamCa`. */
  setting: string | undefined
  env?: Record<string, string | undefined>
  /** Asked of this machine where it is not given. */
  pip?: Pip | undefined
}): Promise<string[]> {
  const { setting, env = process.env } = input
  const pip = 'pip' in input ? input.pip : env['PIP_CERT'] ? undefined : await askPip(env)
  const files = [env['SSL_CERT_FILE'], env['PIP_CERT'] || pip?.config.get('cert')?.value]
  const read = await Promise.all(files.filter((file) => file !== undefined).map((file) => readCertificates(file).catch(() => [])))
  const named = setting === undefined ? [] : await namedCertificates(setting, 'upstreamCa')
  return [...new Set([...getCACertificates('default'), ...systemCertificates(), ...read.flat(), ...named])]
}

// Node reads the system's store at the first call, and fails on some systems without one.
function systemCertificates(): string[] {
  try {
    return getCACertificates('system')
  } catch {
    return []
  }
}

/** The certificates of the file that a setting names. Throws `bad-settings` where there are none. */
export async function namedCertificates(file: string, setting: string): Promise<string[]> {
  const found = await readCertificates(file).catch((error: NodeJS.ErrnoException) => {
    throw new MuslinError('bad-settings', `${setting} names ${file}, which cannot be read (${error.code})`, { cause: error })
  })
  if (found.length === 0) throw new MuslinError('bad-settings', `${setting} names ${file}, which holds no PEM certificate`)
  return found
}

async function readCertificates(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8')
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
}
