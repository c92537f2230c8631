import { afterAll, beforeAll, expect, test } from 'vitest'
import { ERRORS } from '../../../src/errors.ts'
import { API } from '../../../src/http/api/route.ts'
import { makeRig, type Rig } from '../rig.ts'
import { description, holds, type Operation, table } from './checked.ts'

let rig: Rig
beforeAll(async () => { rig = await makeRig() })
afterAll(() => rig.close())

const operations = Object.entries(description.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]): [string, string, Operation] => [path, method, operation]))

test('the description is served as JSON, the same as the table gives', async () => {
  const answer = await rig.get(`${API}/openapi.json`)
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } })
  expect(JSON.parse(answer.body.toString())).toEqual(JSON.parse(JSON.stringify(description)))
})

test('it is OpenAPI 3.1: one operation for each row of the table, each with what it must have', () => {
  expect(description).toMatchObject({ openapi: '3.1.0', info: { title: 'Muslin', version: '0.0.0' } })
  expect(operations.map(([path, method]) => `${method} ${path}`).toSorted()).toEqual(table.map(({ method, path }) => `${method} ${API}${path}`).toSorted())
  expect(new Set(operations.map(([, , { operationId }]) => operationId)).size).toBe(operations.length)
  for (const [path, method, operation] of operations) {
    expect(operation.summary, path).not.toMatch(/\n|\.$/)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect((operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath)
    for (const parameter of operation.parameters ?? []) {
      expect(parameter).toMatchObject({ in: expect.stringMatching(/^(path|query)$/), required: parameter.in === 'path', schema: expect.any(Object) })
    }
    expect(operation.requestBody === undefined || method === 'post').toBe(true)
    const statuses = Object.keys(operation.responses)
    expect(statuses.filter((status) => status.startsWith('2'))).toHaveLength(1)
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(response.description.length).toBeGreaterThan(0)
      expect(Object.keys(response.content).length).toBeGreaterThan(0)
      if (Number(status) >= 400) expect(Object.values(ERRORS).map((error) => String(error.status))).toContain(status)
    }
    if (operation.security !== undefined) expect(statuses).toContain('401')
  }
  expect(description).toMatchObject({ components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' }, session: { type: 'apiKey', in: 'cookie', name: 'muslin_session_this-one' } } } })
})

test('every reference leads to a schema, every schema is used, and all are JSON Schema without keys of another dialect', () => {
  const names = Object.keys(description.components.schemas)
  const referred = new Set([...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target))
  expect([...referred].toSorted()).toEqual(names.map((name) => `#/components/schemas/${name}`).toSorted())
  expect(JSON.stringify(description)).not.toMatch(/"\$(schema|id|defs)"|"nullable"|"id":"[A-Z]/)
  const known = ['type', 'properties', 'required', 'items', 'anyOf', 'enum', 'const', 'description', 'additionalProperties', 'propertyNames', '$ref', 'format', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems']
  const walk = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return
    const { properties = {}, items, anyOf = [], additionalProperties, propertyNames, ...rest } = schema as Record<string, unknown> & { properties?: object; anyOf?: unknown[] }
    for (const key of Object.keys(rest)) expect(known).toContain(key)
    for (const part of [...Object.values(properties), items, ...anyOf, additionalProperties, propertyNames]) walk(part)
  }
  for (const schema of Object.values(description.components.schemas)) walk(schema)
  expect(names).toEqual(expect.arrayContaining(['Job', 'Jobs', 'JobOrder', 'Build', 'Failure', 'Plan', 'PlanRequest', 'Prebuild', 'Project', 'Stats', 'Targets', 'Problem']))
})

test('its schemas refuse what is wrong', () => {
  const order = { $ref: '#/components/schemas/JobOrder' }
  holds(order, { project: 'demo' })
  for (const wrong of [{}, { project: 3 }, { project: 'demo', target: 'x' }, { project: 'demo', targets: [] }]) expect(() => holds(order, wrong)).toThrow()
  expect(() => holds({ $ref: '#/components/schemas/Problem' }, { title: 'x' })).toThrow()
})
