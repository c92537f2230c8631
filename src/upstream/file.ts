import { MuslinError } from '../errors.ts'
import type { FileAnswer, FileQuestion } from '../services/ports.ts'
import { streamedBody } from './body.ts'
import { validatorOf } from './conditional.ts'
import { refusal } from './failure.ts'
import type { Answer, Requests } from './requests.ts'
import { dismiss } from './requests.ts'

/**
 * The bytes of a file, or of a part of it. Raw, as pip takes them: some servers label a .tar.gz with Content-Encoding, and decoding it
 * would change its digest. Throws `no-such-file`, `upstream-refused`, and `upstream-bad-answer` for a part that was not asked for.
 */
export async function fetchFile(requests: Pick<Requests, 'get'>, fileUrl: string, { signal, from, to, validator }: FileQuestion = {}): Promise<FileAnswer> {
  const partial = from !== undefined || to !== undefined
  const start = from ?? 0
  const answer = await requests.get(parseFileUrl(fileUrl), {
    'accept-encoding': 'identity',
    ...partial && { range: `bytes=${start}-${to ?? ''}` },
    ...partial && validator !== undefined && { 'if-range': validator },
  }, signal)
  if (answer.status === 206 && partial) return part(answer, start, signal)
  if (answer.status !== 200) throw instead(answer, fileRefusal(answer))
  return { body: streamedBody(answer.body, answer.url, { signal }), size: lengthOf(answer), from: 0, partial: false, validator: strongValidator(answer) }
}

/** RFC 9110 section 15.3.7: what comes is what Content-Range says, which may end before what was asked for. */
function part(answer: Answer, start: number, signal: AbortSignal | undefined): FileAnswer {
  const [, from, to, size] = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)$/.exec(answer.headers['content-range'] ?? '') ?? []
  if (from === undefined || Number(from) !== start || Number(to) < start) {
    throw instead(answer, new MuslinError('upstream-bad-answer', `${answer.url.host} sent another part of ${answer.url.pathname} than was asked for; look for a proxy in between`))
  }
  return {
    body: streamedBody(answer.body, answer.url, { signal }), from: start, partial: true,
    size: size === '*' ? undefined : Number(size), validator: strongValidator(answer),
  }
}

/** RFC 9110 section 13.1.5: a weak tag compares no bytes, so that it is worth nothing here. */
function strongValidator({ headers }: Answer): string | undefined {
  const validator = validatorOf(headers)
  return validator?.startsWith('W/') ? undefined : validator
}

function lengthOf({ headers }: Answer): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

function parseFileUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new MuslinError('upstream-bad-answer', 'the upstream\'s page names a file by what is no http or https URL')
}

function fileRefusal({ status, url }: Answer): MuslinError {
  if (status === 416) return new MuslinError('upstream-bad-answer', `${url.host} has fewer bytes of ${url.pathname} than it said before; try again`)
  if (status !== 404 && status !== 410) return refusal(status, url)
  return new MuslinError('no-such-file', `${url.host} answered ${status} for ${url.pathname}: its page names the file, but it is gone there`)
}

function instead(answer: Answer, error: MuslinError): MuslinError {
  dismiss(answer)
  return error
}
