import { ADMIN_TOKEN, AGENTS, type Rig } from '../http/rig.ts'

export interface Shown { status: number; headers: Headers; text: string }

/** Somebody with a browser, as far as a test needs one: cookies are kept, redirects are not followed. */
export interface Visitor {
  get(path: string): Promise<Shown>
  post(path: string, form: Record<string, string | string[]> | FormData): Promise<Shown>
  /** Logs in, and says the session's CSRF token. */
  login(): Promise<string>
}

export function visitor(rig: Pick<Rig, 'url'>): Visitor {
  let cookie = ''

  async function ask(path: string, init: RequestInit = {}): Promise<Shown> {
    const headers = { 'user-agent': AGENTS.browser, 'accept': 'text/html', ...cookie !== '' && { cookie } }
    const answer = await fetch(new URL(path, rig.url), { ...init, headers, redirect: 'manual' })
    const given = answer.headers.getSetCookie()[0]?.split(';')[0]
    if (given !== undefined) cookie = given
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }

  async function post(path: string, form: Record<string, string | string[]> | FormData): Promise<Shown> {
    const body = form instanceof FormData ? form : new URLSearchParams(Object.entries(form).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each])))
    return ask(path, { method: 'POST', body })
  }

  return {
    get: (path) => ask(path),
    post,
    async login() {
      await post('/ui/login', { token: ADMIN_TOKEN })
      return hidden((await ask('/ui/')).text, 'csrf')
    },
  }
}

/** The value of the first field of this name in a page. */
export function hidden(page: string, name: string): string {
  const value = new RegExp(`<input type="hidden" name="${name}" value="([^"]*)"`).exec(page)?.[1]
  if (value === undefined) throw new Error(`the page has no field ${name}`)
  return unescaped(value)
}

/** The attributes and the text of each row that bears `attribute`. */
export function rows(page: string, attribute: string): { attributes: Record<string, string>; text: string }[] {
  return [...page.matchAll(/<tr\b([^>]*)>(.*?)<\/tr>/gs)].filter(([, attributes]) => attributes!.includes(` ${attribute}=`)).map(([, attributes, content]) => ({
    attributes: Object.fromEntries([...attributes!.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, unescaped(value!)])),
    text: textOf(content!),
  }))
}

/** What can be read, on one line. */
export function textOf(html: string): string {
  return unescaped(html.replace(/<[^>]+>/g, ' ')).replace(/\s+/g, ' ').trim()
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}
