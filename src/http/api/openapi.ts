import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../errors.ts'
import { Problem } from '../../services/views.ts'
import { API, type ApiRoute } from './route.ts'

type Json = Record<string, unknown>

const JSON_TYPE = 'application/json'
const PROBLEM_TYPE = 'application/problem+json'

/** What a request may be refused with for reasons that are no route's own. */
export function commonErrors(row: ApiRoute): ErrorCode[] {
  return ['bad-request', ...row.admin ? ['token-needed', 'forged-request'] as const : [], ...row.body ? ['too-large'] as const : [], 'internal']
}

/** The OpenAPI 3.1 description of a table; its schemas are JSON Schema 2020-12, which OpenAPI 3.1 takes as they are. */
export function openApi(routes: ApiRoute[], { version, cookie }: { version: string; cookie: string }): Json {
  const schemas = createSchemas()
  const paths: Record<string, Json> = {}
  for (const row of routes) (paths[`${API}${row.path}`] ??= {})[row.method] = operation(row, schemas)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Muslin', version,
      description: 'The JSON API of a Muslin server. Reading is open; what changes something needs the admin\'s token.',
    },
    servers: [{ url: '../..', description: 'The root of this server, relative to this description' }],
    paths,
    components: {
      schemas: schemas.all(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The admin\'s token, from the file admin-token of the data folder' },
        session: { type: 'apiKey', in: 'cookie', name: cookie, description: 'As /ui/login opens it; requests that change something send its CSRF token as X-CSRF-Token too' },
      },
    },
  }
}

function operation(row: ApiRoute, schemas: Schemas): Json {
  const parameters = [...parametersOf(row.params, 'path', schemas), ...parametersOf(row.query, 'query', schemas)]
  return {
    operationId: [row.method, ...row.path.split(/\W+/).filter((word) => word !== '')].join('-'),
    summary: row.summary,
    ...row.admin && { security: [{ token: [] }, { session: [] }] },
    ...parameters.length > 0 && { parameters },
    ...row.body && { requestBody: { required: true, content: { [JSON_TYPE]: { schema: schemas.of(row.body) } } } },
    responses: { [row.answer.status]: success(row, schemas), ...failures([...commonErrors(row), ...row.errors], schemas) },
  }
}

function parametersOf(schema: z.ZodObject, place: 'path' | 'query', schemas: Schemas): Json[] {
  const required = new Set(Object.entries(schema.shape).filter(([, value]) => !z.safeParse(value as z.ZodType, undefined).success).map(([name]) => name))
  return Object.entries(schema.shape).map(([name, value]) => {
    const { description, ...json } = schemas.of(value as z.ZodType)
    return { name, in: place, required: place === 'path' || required.has(name), ...description !== undefined && { description }, schema: json }
  })
}

function success({ answer, summary }: ApiRoute, schemas: Schemas): Json {
  if ('schema' in answer) return { description: summary, content: { [JSON_TYPE]: { schema: schemas.of(answer.schema) } } }
  const content = Object.entries(answer.types).map(([type, description]) => [type, { schema: { type: 'string', description } }])
  return { description: summary, content: Object.fromEntries(content) as Json }
}

/** By status: OpenAPI has one description for each. */
function failures(codes: ErrorCode[], schemas: Schemas): Json {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status)
  return Object.fromEntries([...byStatus].map(([status, same]) => [status, {
    description: same.map((code) => `${code}: ${ERRORS[code].title}`).join(' · '),
    content: { [PROBLEM_TYPE]: { schema: schemas.of(Problem) } },
  }]))
}

type Schemas = ReturnType<typeof createSchemas>

/** Schemas with a name stand once among the components; the others where they are used. */
function createSchemas() {
  const named: Record<string, Json> = {}
  const of = (schema: z.ZodType): Json => {
    // As clients may rely on it: answers may get more keys one day.
    const { $schema: _, $defs = {}, ...json } = z.toJSONSchema(schema, { io: 'input' }) as Json & { $defs?: Record<string, Json> }
    for (const [name, definition] of Object.entries($defs)) named[name] = refer(definition)
    return refer(json)
  }
  return { of, all: () => named }
}

function refer(json: Json): Json {
  return JSON.parse(JSON.stringify(json).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/')) as Json
}
