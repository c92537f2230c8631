import type Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import { cleanLine } from '../../domain/clean.ts'
import { MuslinError, type ErrorCode } from '../../errors.ts'
import { requireAdmin } from '../session.ts'
import { readJson } from './json-body.ts'

export const API = '/api/v1'

/** One row of the API's table: the router and the OpenAPI description are both made from it. */
export interface ApiRoute {
  method: 'get' | 'post' | 'delete'
  /** Below `API`, as OpenAPI writes it: `/jobs/{id}`. */
  path: string
  /** One line. */
  summary: string
  /** Changes something: needs the admin. */
  admin: boolean
  params: z.ZodObject
  query: z.ZodObject
  body: z.ZodType | undefined
  answer: Answer
  /** Besides those that any request may get. */
  errors: ErrorCode[]
  handle(ctx: Context, input: { params: never; query: never; body: never }): Promise<unknown>
}

/** JSON by a schema, or content types that `handle` sends by itself. */
export type Answer = { status: 200 | 201; schema: z.ZodType } | { status: 200; types: Record<string, string> }

const nothing = z.strictObject({})
/** As the numbers of jobs, builds and prebuilds are written. */
export const NumberInPath = z.strictObject({ id: number('a number is written in digits alone, as in the list') })

/** Digits alone: what else JavaScript takes for a number would be a second name for the same thing. */
export function number(said: string, most = 999_999_999_999_999) {
  return z.string().regex(/^[1-9]\d{0,14}$/, said).transform(Number).pipe(z.number().int().min(1).max(most))
}

/** A row with its types checked: `handle` gets what the schemas make of the request. */
export function route<Params extends z.ZodObject = typeof nothing, Query extends z.ZodObject = typeof nothing, Body extends z.ZodType = z.ZodUndefined>(
  row: Pick<ApiRoute, 'method' | 'path' | 'summary' | 'answer'> & {
    admin?: true
    params?: Params
    query?: Query
    body?: Body
    errors?: ErrorCode[]
    handle(ctx: Context, input: { params: z.output<Params>; query: z.output<Query>; body: z.output<Body> }): Promise<unknown>
  },
): ApiRoute {
  return { ...row, admin: row.admin ?? false, params: row.params ?? nothing, query: row.query ?? nothing, body: row.body, errors: row.errors ?? [] }
}

/** Adds the table's routes. What `handle` resolves to is the answer; undefined where it has set one. */
export function addRoutes(router: Router, routes: ApiRoute[]): void {
  for (const row of routes) {
    router[row.method](`${API}${row.path.replaceAll(/\{(\w+)\}/g, ':$1')}`, async (ctx) => {
      ctx.set('Cache-Control', 'no-store')
      if (row.admin) requireAdmin(ctx)
      const params = parsed(row.params, ctx.params, 'in the address')
      const query = parsed(row.query, { ...ctx.query }, 'in the query')
      const body = row.body && parsed(row.body, await readJson(ctx), 'in the body')
      const answer = await row.handle(ctx, { params: params as never, query: query as never, body: body as never })
      if (answer === undefined) return
      ctx.status = row.answer.status
      ctx.body = answer
    })
  }
}

/** Throws `bad-request`, with every part that is wrong in one line. */
function parsed(schema: z.ZodType, value: unknown, where: string): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const wrong = result.error.issues.map((issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${said(issue)}`)
  throw new MuslinError('bad-request', cleanLine(`${where}: ${wrong.join('; ')}; ${API}/openapi.json says what is taken`, 600))
}

/** Of a name in a record, what is wrong with it stands one level deeper. */
function said(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : issue.message
}
