/** What is asked of every page. */
import request from 'supertest'
import { expect } from 'vitest'
import type { Rig } from '../http/rig.ts'
import { ADMIN_TOKEN, AGENTS } from '../http/rig.ts'

export const HOSTILE = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>'

/** The text of a page as a browser gets it, after `checkPage`. */
export async function pageOf(rig: Rig, path: string, { cookie, status = 200, headers = {} }: { cookie?: string; status?: number; headers?: Record<string, string> } = {}): Promise<string> {
  const answer = await request(rig.server).get(path).set({ 'User-Agent': AGENTS.browser, 'Accept': 'text/html', ...cookie && { Cookie: cookie }, ...headers })
  expect(answer.status, answer.text.slice(0, 2000)).toBe(status)
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
  expect(answer.headers['cache-control']).toBe('no-store')
  checkPage(answer.text)
  return answer.text
}

/** Nothing in it runs or looks by itself, and no text of a stranger stands in it as HTML. */
export function checkPage(text: string): void {
  // What stands between quotes is text, as long as no quote of a stranger ends it: then a piece of it is left over here.
  expect(text.replace(/="[^"]*"/g, '')).not.toMatch(/<[^>]*(?:\s(?:style|on[a-z]+)\b|["'=])/i)
  expect(text).not.toMatch(/<style|javascript:/i)
  for (const [tag] of text.matchAll(/<script[^>]*>/gi)) expect(tag).toMatch(/^<script type="module" src="(?:\.\.\/)*ui\/assets\/[0-9a-f]{16}\/[a-z]+\.js">$/)
  for (const [, content] of text.matchAll(/<script[^>]*>([^<]*)/gi)) expect(content).toBe('')
  for (const [, url = ''] of text.matchAll(/\s(?:href|src|action)="([^"]*)"/g)) expect(url, 'links are relative: a proxy may serve us below a path').not.toMatch(/^\/|^[a-z]+:/i)
  expect(text).not.toMatch(/<img src=x|<script>alert/)
  const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  expect(ids).toEqual([...new Set(ids)])
}

/** What of a page a reader sees, without its tags. */
export function seen(text: string): string {
  return text.replace(/<[^>]*>/g, ' ').replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replace(/\s+/g, ' ')
}

/** Logs in; the cookie, and what forms must carry. */
export async function login(rig: Rig): Promise<{ cookie: string; csrf: string }> {
  const answer = await request(rig.server).post('/ui/login').set('User-Agent', AGENTS.browser).type('form').send({ token: ADMIN_TOKEN })
  expect(answer.status).toBe(303)
  const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? ''
  const page = await pageOf(rig, '/ui/', { cookie })
  return { cookie, csrf: /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '' }
}
