/** Asks the API and holds every answer to the table and to the OpenAPI description made from it. */
import supertest from 'supertest'
import { expect } from 'vitest'
import { z } from 'zod'
import { apiTable } from '../../../src/http/api/api.ts'
import type { ApiDeps } from '../../../src/http/api/deps.ts'
import { commonErrors, openApi } from '../../../src/http/api/openapi.ts'
import { API, type ApiRoute } from '../../../src/http/api/route.ts'
import { ADMIN_TOKEN } from '../rig.ts'

/** The table without what it stands on: its schemas need none of it. */
export const table: ApiRoute[] = apiTable({} as ApiDeps)
export const description = openApi(table, { version: '0.0.0', cookie: 'muslin_session_this-one' }) as { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, unknown> } } & Record<string, unknown>

export interface Operation {
  operationId: string
  summary: string
  security?: unknown
  parameters?: { name: string; in: string; required: boolean; schema: unknown }[]
  requestBody?: { content: Record<string, { schema: unknown }> }
  responses: Record<string, { description: string; content: Record<string, { schema: unknown }> }>
}

export interface Asked { body?: object; token?: string | undefined; headers?: Record<string, string> }
/** What was seen: `get /jobs 200`, `post /jobs no-builder`. */
export const seen = new Set<string>()

/** Everything that the table says may come of a route. */
export function declared(): string[] {
  return table.flatMap((row) => [`${row.method} ${row.path} ${row.answer.status}`, ...row.errors.map((code) => `${row.method} ${row.path} ${code}`)])
}

export function rowFor(method: string, path: string): ApiRoute {
  const row = table.find((candidate) => candidate.method === method && new RegExp(`^${candidate.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
  if (!row) throw new Error(`the table has no ${method} ${path}`)
  return row
}

/** Asks as the admin, unless `token` says otherwise. `path` is below the API's root and may have a query. */
export async function ask(url: string, method: ApiRoute['method'], path: string, { body, token = ADMIN_TOKEN, headers = {} }: Asked = {}): Promise<supertest.Response> {
  const row = rowFor(method, path.split('?')[0]!)
  let request = supertest(url)[method](`${API}${path}`).set(headers)
  if (token !== '') request = request.set('Authorization', `Bearer ${token}`)
  const answer = body === undefined ? await request : await request.send(body)
  check(row, answer)
  return answer
}

function check(row: ApiRoute, answer: supertest.Response): void {
  const name = `${row.method} ${row.path}`
  const said = description.paths[`${API}${row.path}`]![row.method]!.responses[answer.status]
  expect(said, `${name} answered ${answer.status} ${answer.text}, which its description does not know`).toBeDefined()
  expect(answer.headers['cache-control']).toBe('no-store')
  const [type = ''] = String(answer.headers['content-type']).split(';')
  expect(Object.keys(said!.content)).toContain(type)
  if (answer.status >= 400) {
    const { code } = JSON.parse(answer.text) as { code: string }
    expect([...row.errors, ...commonErrors(row)], name).toContain(code)
    holds(said!.content[type]!.schema, JSON.parse(answer.text))
    seen.add(`${name} ${code}`)
    return
  }
  expect(answer.status).toBe(row.answer.status)
  seen.add(`${name} ${answer.status}`)
  if (!('schema' in row.answer)) return
  // Nothing is left out, and nothing is there that the schema does not know.
  expect(row.answer.schema.parse(answer.body)).toEqual(answer.body)
  holds(said!.content[type]!.schema, answer.body)
}

/** Holds a value to a JSON Schema of the description, by a reader that knows nothing of the schemas that it was made from. */
export function holds(schema: unknown, value: unknown): void {
  const text = JSON.stringify({ ...schema as object, $defs: description.components.schemas }).replaceAll('#/components/schemas/', '#/$defs/')
  const result = z.fromJSONSchema(JSON.parse(text)).safeParse(value)
  expect(result.error?.issues ?? []).toEqual([])
}
