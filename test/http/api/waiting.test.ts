import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WaitingList } from '../../../src/services/waiting-views.ts'
import { JSON_V1 } from '../../synthetic-upstream.ts'
import { AGENTS, makeRig, type Rig, TARGET } from '../rig.ts'
import { ask } from './checked.ts'

let rig: Rig
beforeEach(async () => {
  rig = await makeRig({ trustedProxies: ['127.0.0.1'] })
  for (const project of ['alpha', 'beta']) rig.upstream.project(project, [{ filename: `${project}-1.0.tar.gz`, bytes: Buffer.from(project) }])
  await rig.ready()
})
afterEach(() => rig.close())

const uv = { 'user-agent': AGENTS.uv }
const from = (address: string) => ({ 'x-forwarded-for': address })

async function promise(project: string): Promise<string> {
  const page = JSON.parse((await rig.get(`/simple/${project}/`, { ...uv, accept: JSON_V1 })).body.toString()) as { files: { url: string }[] }
  return new URL(page.files.find(({ url }) => url.includes('/promise/'))!.url, `http://h/simple/${project}/`).pathname
}

/** Begins a hold, without waiting for its end. */
async function begin(path: string, address: string) {
  await rig.ready()
  const held = rig.open(path, { ...uv, ...from(address) })
  await rig.clock.began(25_000)
  return held
}

/** A hold to its end; where the client is sent. */
async function sentOn(path: string, address: string): Promise<string> {
  const { response } = await begin(path, address)
  await rig.clock.advance(25_000)
  return `${path}${(await response).resume().headers.location}`
}

async function waiting(query = '', headers: Record<string, string> = {}): Promise<WaitingList> {
  const { status, body } = await ask(rig.url, 'get', `/waiting${query}`, { token: '', headers })
  expect(status).toBe(200)
  return body as WaitingList
}

test('nothing waits where nobody does', async () => {
  expect(await waiting()).toEqual({ waiting: [], more: 0, others: 0 })
})

test('an install is listed through its hops with its job, and with its end for a minute', async () => {
  const path = await promise('alpha')
  const { response } = await begin(path, '10.0.0.7')
  await rig.clock.advance(24_000)
  const [install] = (await waiting()).waiting
  expect(install).toMatchObject({
    tool: 'uv', version: '0.13.9', address: '10.0.0.7', filename: `alpha-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl`, seconds: 24, ended: null, endedAt: null,
    job: { project: 'alpha', version: '1.0', target: TARGET, state: 'queued', ahead: 0 },
  })
  expect(JSON.stringify(install)).not.toContain('/promise/')
  await rig.clock.advance(1_000)
  const answer = await response
  answer.resume()
  await rig.clock.advance(500)
  expect((await waiting()).waiting, 'between two requests').toMatchObject([{ id: install!.id, seconds: 25.5, ended: null }])
  await begin(`${path}${answer.headers.location}`, '10.0.0.7')
  const job = await rig.claim()
  await rig.store.jobs.step(job.build, 'plan', rig.clock.now())
  expect((await waiting()).waiting).toMatchObject([{ id: install!.id, job: { state: 'running', step: 'plan' } }])
  await rig.fail(job, { class: 'missing-header', key: 'ffi.h' })
  await ended()
  expect((await waiting()).waiting).toMatchObject([{ id: install!.id, seconds: 25.5, ended: 'failed', job: { state: 'failed', build: job.build, failure: { cause: 'needs header ffi.h' } } }])
  await rig.clock.advance(60_001)
  expect((await waiting()).waiting).toEqual([])
})

test('who comes back when the wheel is there has it', async () => {
  const path = await promise('alpha')
  const next = await sentOn(path, '10.0.0.7')
  await rig.publish(await rig.claim(), Buffer.from('a wheel'), 'Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n')
  expect((await rig.get(next, { ...uv, ...from('10.0.0.7') }, 'HEAD')).status).toBe(200)
  expect((await waiting()).waiting).toMatchObject([{ ended: null }])
  expect((await rig.get(next, { ...uv, ...from('10.0.0.7') })).status).toBe(200)
  expect((await waiting()).waiting).toMatchObject([{ ended: 'built', job: { state: 'built' } }])
})

test('who comes back when the build has failed was told so', async () => {
  const path = await promise('alpha')
  const next = await sentOn(path, '10.0.0.7')
  await rig.fail(await rig.claim(), { class: 'missing-header', key: 'ffi.h' })
  expect((await rig.get(next, { ...uv, ...from('10.0.0.7') })).status).toBe(424)
  expect((await waiting()).waiting).toMatchObject([{ ended: 'failed' }])
})

const METADATA = 'Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n'

test('who is refused the wheel that was built ends so, and not as one that has it', async () => {
  const path = await promise('alpha')
  const next = await sentOn(path, '10.0.0.8')
  const { response } = await begin(path, '10.0.0.7')
  await rig.publish(await rig.claim(), Buffer.from('a wheel'), METADATA, { metadataChanged: true })
  expect((await response).resume().statusCode).toBe(424)
  expect((await rig.get(next, { ...uv, ...from('10.0.0.8') })).status).toBe(424)
  expect((await waiting()).waiting).toMatchObject([
    { address: '10.0.0.7', ended: 'refused', job: { state: 'built' } }, { address: '10.0.0.8', ended: 'refused', job: { state: 'built' } },
  ])
})

test('who waited for another build number than the one that came is refused too', async () => {
  const path = await promise('alpha')
  const { response } = await begin(path, '10.0.0.7')
  await rig.publish(await rig.claim(), Buffer.from('a wheel'), METADATA, { filename: `alpha-1.0-2-cp313-cp313-musllinux_1_2_x86_64.whl` })
  expect((await response).resume().statusCode).toBe(404)
  expect((await waiting()).waiting).toMatchObject([{ ended: 'refused' }])
})

test('who waits for metadata has it, held or sent on', async () => {
  const path = `${await promise('alpha')}.metadata`
  const next = await sentOn(path, '10.0.0.8')
  const { response } = await begin(path, '10.0.0.7')
  await rig.publish(await rig.claim(), Buffer.from('a wheel'), METADATA)
  expect((await response).resume().statusCode).toBe(200)
  expect((await rig.get(next, { ...uv, ...from('10.0.0.8') })).body.toString()).toBe(METADATA)
  expect((await waiting()).waiting).toMatchObject([{ address: '10.0.0.7', ended: 'built' }, { address: '10.0.0.8', ended: 'built' }])
})

test('one\'s own are those of one\'s address; all, on the server\'s own machine; and those of the projects that are named', async () => {
  const paths = { alpha: await promise('alpha'), beta: await promise('beta') }
  await begin(paths.alpha, '10.0.0.7')
  await begin(paths.beta, '10.0.0.7')
  await begin(paths.beta, '10.0.0.8')
  const seen = async (query: string, address?: string) => {
    const { waiting: list, others } = await waiting(query, address === undefined ? {} : from(address))
    return [list.map((install) => `${install.job.project} ${install.address}`), others]
  }
  const all = ['alpha 10.0.0.7', 'beta 10.0.0.7', 'beta 10.0.0.8']
  expect(await seen('', '10.0.0.8')).toEqual([all, 0])
  expect(await seen('?own=false', '10.0.0.8')).toEqual([all, 0])
  expect(await seen('?own=true', '10.0.0.8')).toEqual([['beta 10.0.0.8'], 2])
  expect(await seen('?own=true&project=Beta,other', '10.0.0.7')).toEqual([['beta 10.0.0.7'], 1])
  expect(await seen('?own=true', '10.0.0.9')).toEqual([[], 3])
  expect(await seen('?own=true')).toEqual([all, 0])
  expect(await seen('?project=-')).toEqual([[], 0])
  expect((await ask(rig.url, 'get', '/waiting?own=yes')).status).toBe(400)
})

test('the stream of changes tells when an install came and when it left, though no job changed', async () => {
  const path = await promise('alpha')
  await begin(path, '10.0.0.7')
  const stream = await rig.open('/api/v1/events', { accept: 'text/event-stream' }).response
  let text = ''
  stream.setEncoding('utf8').on('data', (piece: string) => { text += piece })
  const told = async (times: number) => { while (text.split('event: changed').length <= times) await new Promise((resolve) => setImmediate(resolve)) }
  await rig.clock.began(15_000)
  const { request, response } = await begin(path, '10.0.0.8')
  response.catch(() => undefined)
  await told(1)
  await rig.clock.began(500)
  await rig.clock.advance(500)
  await rig.clock.began(15_000)
  request.destroy()
  await told(2)
  expect((await waiting()).waiting).toMatchObject([{ address: '10.0.0.7', ended: null }, { address: '10.0.0.8', ended: 'left' }])
  stream.destroy()
})

test('an install that was sent on is the same one to the next process, as soon as it comes there', async () => {
  const path = await promise('alpha')
  const next = await sentOn(path, '10.0.0.7')
  const [before] = (await waiting()).waiting
  await rig.restart()
  expect((await waiting()).waiting).toEqual([])
  await rig.clock.advance(3_000)
  await begin(next, '10.0.0.7')
  expect((await waiting()).waiting).toMatchObject([{ id: before!.id, began: before!.began, seconds: 28, ended: null }])
})

async function ended(): Promise<void> {
  while ((await waiting()).waiting.some((install) => install.ended === null)) await new Promise((resolve) => setImmediate(resolve))
}
