import { z } from 'zod'
import { MuslinError } from '../errors.ts'
import type { Answer } from './requests.ts'

/** The JSON form of a simple index page (PEP 691). */
export const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
/** Either form of the list: some indexes have JSON for their projects alone. */
export const ANY_LIST = `${JSON_PAGE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1`

// PEP 691: what a client needs before it can use a page. Later versions of API 1 only add keys; another major must be refused.
const PAGE = z.looseObject({
  meta: z.looseObject({ 'api-version': z.string().regex(/^1\.\d+$/) }),
  files: z.array(z.looseObject({ filename: z.string(), url: z.string(), hashes: z.record(z.string(), z.string()) })),
})

/** Checks that the bytes are a project page. Throws `upstream-bad-answer`, which says what is wrong with them. */
export function checkPage(json: Buffer, url: URL): void {
  const problem = problemOf(json)
  if (problem === undefined) return
  throw new MuslinError('upstream-bad-answer', `${url.host}${url.pathname} is no project page (${problem}); check the setting upstream`)
}

/** An error where the answer is an HTML page, or where the upstream has nothing but that. */
export function refuseHtml({ headers, url }: Answer, surely = false): MuslinError | undefined {
  if (!surely && !isHtml(headers)) return undefined
  return new MuslinError('upstream-bad-answer', `${url.host} offers no JSON for ${url.pathname}, only HTML; Muslin needs an upstream with the JSON API of PEP 691`)
}

export function isHtml(headers: Answer['headers']): boolean {
  return /html/i.test(headers['content-type'] ?? '')
}

function problemOf(json: Buffer): string | undefined {
  let page: unknown
  try {
    page = JSON.parse(json.toString())
  } catch {
    return 'it is no JSON'
  }
  const issue = PAGE.safeParse(page).error?.issues[0]
  return issue && `${issue.path.join('.') || 'page'}: ${issue.message}`
}
