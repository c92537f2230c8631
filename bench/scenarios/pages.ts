/** Pages that a row has: under load, one at a time, fifty projects mixed, unchanged ones, a thousand connections. */
import { ask, fetchBody, pageHeaders } from '../lib/client.ts'
import { interleaved, type Sample } from '../lib/interleave.ts'
import { cpuSeconds } from '../lib/sample.ts'
import type { Column, Measured } from '../lib/table.ts'
import { load, type Load } from '../lib/wrk.ts'
import type { Server } from '../rows/row.ts'
import { filesOf } from '../upstream/listing.ts'
import type { Bench } from '../lib/bench.ts'
import type { Scenario } from './scenario.ts'

const FORMATS = ['html', 'json'] as const
const PROJECTS = ['six', 'numpy', 'boto3']
const CASES = PROJECTS.flatMap((project) => FORMATS.map((format) => ({ project, format, key: `${project} ${format}` })))

export const hot: Scenario = { name: 'hot', about: 'pages that are there, 32 connections: answers a second', run: (bench) => hotPages(bench, CASES) }

/** Of the large page alone, for comparing many rows. */
export const hotNumpy: Scenario = { ...hot, run: (bench) => hotPages(bench, CASES.filter(({ key }) => key === 'numpy json')) }

export const single: Scenario = {
  name: 'single', about: 'pages that are there, one client: milliseconds, CPU milliseconds of the server, bytes on the wire',
  run: (bench) => interleaved(bench, 'Hot pages one at a time: median ms, server CPU ms, kB on the wire', CASES.flatMap(({ key }): Column[] => [
    { key, label: key, shows: 'least' }, { key: `${key} cpu`, label: 'CPU', shows: 'least' }, { key: `${key} kb`, label: 'kB', shows: 'least' },
  ]), { projects: PROJECTS }, async (server) => {
    const samples: Sample[] = []
    for (const { project, format, key } of CASES) {
      const warmed = await warm(bench, server, [project], format)
      samples.push(async () => {
        const before = cpuSeconds(server.pids)
        const { p50, perSecond, seconds } = await load({ ...warmed, connections: 1, seconds: bench.seconds })
        return { [key]: p50, [`${key} cpu`]: (cpuSeconds(server.pids) - before) * 1000 / (perSecond * seconds), [`${key} kb`]: warmed.bytesEach / 1000 }
      })
    }
    return samples
  }),
}

export const mix: Scenario = {
  name: 'mix', about: 'the JSON pages of fifty projects in turn, 32 connections: answers a second',
  run: (bench) => interleaved(bench, 'Fifty projects in turn, JSON (32 connections): answers a second', [{ key: 'mix', label: 'pages/s', shows: 'most' }], { projects: bench.upstream.mix },
    // It would read tens of thousands of files for each.
    async (server, row) => row.name === 'pypiserver' ? [] : [rate('mix', await warm(bench, server, bench.upstream.mix, 'json'), bench, 32)]),
}

export const unchanged: Scenario = {
  name: 'unchanged', about: 'numpy asked for with its ETag, 32 connections: 304 answers a second',
  run: (bench) => interleaved(bench, 'Unchanged pages, 304 a second (32 connections)', [{ key: '304', label: '304/s', shows: 'most' }], { projects: ['numpy'] }, async (server) => {
    await warm(bench, server, ['numpy'], 'json')
    const { headers, url } = await fetchBody(`${server.index}numpy/`, pageHeaders('json'))
    if (headers.etag === undefined) throw new Error('its pages have no ETag')
    const asked = { ...pageHeaders('json'), 'If-None-Match': headers.etag }
    const { status } = await ask(url, { headers: asked })
    if (status !== 304) throw new Error(`it answers ${status} where a page is unchanged`)
    // wrk counts an answer of any status below 400.
    return [async () => {
      const measured = await load({ urls: [url], headers: asked, connections: 32, seconds: bench.seconds, bytesEach: 60 })
      if (measured.bytesPerSecond / measured.perSecond > 1000) throw new Error('it sent whole pages')
      return { 304: measured.perSecond }
    }]
  }),
}

export const crowd: Scenario = {
  name: 'crowd', about: 'the page of six, 1,000 connections: answers a second and the slowest hundredth',
  run: (bench) => interleaved(bench, 'six, JSON, 1,000 connections', [{ key: 'rate', label: 'pages/s', shows: 'most' }, { key: 'p99', label: 'p99 ms', shows: 'least' }], { projects: ['six'] }, async (server) => {
    const warmed = await warm(bench, server, ['six'], 'json')
    return [async () => {
      const { perSecond, p99 } = await load({ ...warmed, connections: 1000, seconds: bench.seconds })
      return { rate: perSecond, p99 }
    }]
  }),
}

function hotPages(bench: Bench, cases: typeof CASES): Promise<Measured> {
  const columns = cases.map(({ key }): Column => ({ key, label: key, shows: 'most' }))
  return interleaved(bench, 'Hot pages, answers a second (32 connections, gzip where the row has it)', columns, { projects: [...new Set(cases.map(({ project }) => project))] }, async (server) => {
    const samples: Sample[] = []
    for (const { project, format, key } of cases) samples.push(rate(key, await warm(bench, server, [project], format), bench, 32))
    return samples
  })
}

function rate(key: string, warmed: Omit<Load, 'connections' | 'seconds'>, bench: Bench, connections: number): Sample {
  return async () => ({ [key]: (await load({ ...warmed, connections, seconds: bench.seconds })).perSecond })
}

/** Asks for each page until it is there, and checks that it lists every wheel and sdist of the upstream. What wrk is to ask for then. */
async function warm(bench: Bench, server: Server, projects: string[], format: 'html' | 'json'): Promise<Omit<Load, 'connections' | 'seconds'>> {
  const headers = pageHeaders(format)
  const urls: string[] = []
  let least = Number.POSITIVE_INFINITY
  let sum = 0
  for (const project of projects) {
    const { body, wire, url } = await fetchBody(`${server.index}${project}/`, headers)
    const text = body.toString()
    // Some rows leave out kinds of files that installers no longer take.
    const taken = (await filesOf(bench.upstream.index, project)).filter(({ filename }) => /\.(whl|tar\.gz)$/.test(filename))
    const missing = taken.filter(({ filename }) => !text.includes(filename) && !text.includes(encodeURIComponent(filename)))
    if (missing.length > 0) throw new Error(`its page of ${project} lacks ${missing.length} files, such as ${missing[0]!.filename}`)
    urls.push(url)
    least = Math.min(least, wire)
    sum += wire
  }
  return { urls, headers, bytesEach: projects.length === 1 ? sum : least }
}
