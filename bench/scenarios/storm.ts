/** A hundred clients at once ask for what a row has never seen. */
import { Agent } from 'node:http'
import type { Bench } from '../lib/bench.ts'
import { ask, download, fetchBody, pageHeaders, type Answer } from '../lib/client.ts'
import { median, MIB } from '../lib/figures.ts'
import { cpuSeconds, memory, watchMemory } from '../lib/sample.ts'
import type { Column, Measured } from '../lib/table.ts'
import type { Row, Server } from '../rows/row.ts'
import { bytesOf, filesOf, linksOf } from '../upstream/listing.ts'
import { BIG } from '../upstream/made.ts'
import { eachRow } from './each-row.ts'
import type { Scenario } from './scenario.ts'

const CLIENTS = 100
const CASES = ['page', 'file', 'file, first leaves'] as const

export const storm: Scenario = {
  name: 'storm', about: 'a hundred clients at once on a cold page, and on a cold file of 20 MiB from an upstream of 8 MiB/s; also with the first client gone at once',
  async run(bench) {
    const columns = CASES.flatMap((key): Column[] => [
      { key: `${key} right`, label: `${key}: right`, shows: 'least' }, { key: `${key} fetches`, label: 'upstream fetches', shows: 'most' }, { key: `${key} first`, label: 'first byte s, last client', shows: 'most' },
      { key: `${key} middle`, label: 'median client', shows: 'middle' }, { key: `${key} wall`, label: 'all done s', shows: 'middle' }, { key: `${key} cpu`, label: 'CPU s', shows: 'middle' }, { key: `${key} growth`, label: 'MiB more', shows: 'most' },
    ])
    const measured: Measured = { title: `${CLIENTS} clients at once: a cold page (numpy), a cold 20 MiB file (the upstream gives 8 MiB/s a connection: 2.5 s), and one whose first client leaves`, columns, rows: new Map(), notes: [] }
    // Each on a server of its own: what one storm leaves in memory is not for the next.
    for (const key of CASES) {
      const part = await eachRow({ ...bench, rows: bench.rows.filter((row) => row.caches || row.name === 'simple-repository') }, key, columns, {}, (server, row) => key === 'page' ? pageStorm(bench, server) : fileStorm(bench, server, row, key), 1)
      for (const [row, cells] of part.rows) measured.rows.set(row, { ...measured.rows.get(row), ...cells })
      measured.notes.push(...part.notes)
    }
    return measured
  },
}

async function pageStorm(bench: Bench, server: Server): Promise<Record<string, number>> {
  const headers = pageHeaders('json')
  // A page like it, so that what is loaded once is loaded.
  await fetchBody(`${server.index}boto3/`, headers)
  const expected = (await filesOf(bench.upstream.index, 'numpy')).length
  const { answers, figures } = await together(bench, server, 'page', '/simple/numpy/', (agent) => ask(`${server.index}numpy/`, { headers, agent }))
  // Once for all: those that are as long as a right one are taken to be right.
  const { body, wire } = await fetchBody(`${server.index}numpy/`, headers)
  const listed = new Set(body.toString().match(/numpy-[^"/#]+?\.(?:whl|tar\.gz|zip|exe)(?=["#])/g) ?? body.toString().match(/numpy_?-[^"/#]+/g)).size
  return { ...figures, 'page right': listed < expected * 0.95 ? 0 : answers.filter(({ status, size }) => status === 200 && Math.abs(size - wire) < 100).length }
}

async function fileStorm(bench: Bench, server: Server, row: Row, key: string): Promise<Record<string, number>> {
  const file = (await filesOf(bench.upstream.index, BIG.project))[0]!
  const link = (await linksOf(server.index, BIG.project)).get(file.filename)
  if (link === undefined) throw new Error(`${row.name} lists no ${file.filename}`)
  const bytes = await bytesOf(file)
  await bench.upstream.set({ bandwidth: 8 * MIB })
  try {
    const { answers, figures } = await together(bench, server, key, new URL(file.url).pathname, (agent, client) => key !== 'file' && client === 0
      ? ask(link, { agent, leaveAfter: 64 * 1024 }).then((answer) => ({ ...answer, right: true }))
      : download(link, bytes, { agent, patience: 120 }))
    return { ...figures, [`${key} right`]: answers.filter(({ right }) => right).length }
  } finally {
    await bench.upstream.set({ bandwidth: 0 })
  }
}

/** All clients begin in the same moment, each on a connection of its own. */
async function together<T extends Answer>(bench: Bench, server: Server, key: string, path: string, one: (agent: Agent, client: number) => Promise<T>): Promise<{ answers: T[]; figures: Record<string, number> }> {
  await bench.upstream.forget()
  const agent = new Agent({ maxSockets: CLIENTS })
  const before = memory(server.pids)
  const cpu = cpuSeconds(server.pids)
  const watch = watchMemory(server.pids)
  const began = performance.now()
  const answers = await Promise.all(Array.from({ length: CLIENTS }, (_, client) => one(agent, client)))
  const wall = (performance.now() - began) / 1000
  const peak = watch.end()
  agent.destroy()
  // One that got none makes the last one's no figure.
  const firsts = answers.map(({ first }) => first / 1000)
  const asked = await bench.upstream.asked()
  return {
    answers, figures: {
      [`${key} fetches`]: asked.get(`GET ${path}`) ?? 0, [`${key} first`]: Math.max(...firsts), [`${key} middle`]: median(firsts.filter(Number.isFinite)), [`${key} wall`]: wall,
      [`${key} cpu`]: cpuSeconds(server.pids) - cpu, [`${key} growth`]: (peak - before) / MIB,
    },
  }
}
