/** Files that a row has: a small one, a large one by one client and by eight, a huge one by fifty. */
import { Agent } from 'node:http'
import type { Bench } from '../lib/bench.ts'
import { download, fetchBody, sha256 } from '../lib/client.ts'
import { GIB, MIB } from '../lib/figures.ts'
import { interleaved } from '../lib/interleave.ts'
import { cpuSeconds, memory, watchMemory } from '../lib/sample.ts'
import { load } from '../lib/wrk.ts'
import type { Row, Server } from '../rows/row.ts'
import { bytesOf, filesOf, linksOf, type Listed } from '../upstream/listing.ts'
import { BIG, HUGE } from '../upstream/made.ts'
import { eachRow } from './each-row.ts'
import type { Scenario } from './scenario.ts'

const SMALL = 'six'

export const files: Scenario = {
  name: 'files', about: 'files that are there: 11 kB by 32 connections, 20 MiB by one and by eight: files a second, MiB/s, CPU seconds a GiB',
  run: (bench) => interleaved(bench, 'Files: a wheel of 11 kB (32 connections), 20 MiB (one, eight)', [
    { key: 'small', label: 'small wheels/s', shows: 'most' },
    { key: 'one', label: '×1 MiB/s', shows: 'most' }, { key: 'one cpu', label: 'CPU s/GiB', shows: 'least' },
    { key: 'eight', label: '×8 MiB/s', shows: 'most' }, { key: 'eight cpu', label: 'CPU s/GiB', shows: 'least' },
  ], { projects: [SMALL, BIG.project] }, async (server, row) => {
    const small = await warmFile(server, row, await smallFile(bench))
    const big = await warmFile(server, row, (await filesOf(bench.upstream.index, BIG.project))[0]!)
    const large = (connections: number, key: string) => async () => {
      const before = cpuSeconds(server.pids)
      const { bytes, bytesPerSecond } = await load({ urls: [big], connections, seconds: bench.seconds, bytesEach: BIG.size })
      return { [key]: bytesPerSecond / MIB, [`${key} cpu`]: (cpuSeconds(server.pids) - before) / (bytes / GIB) }
    }
    return [async () => ({ small: (await load({ urls: [small], connections: 32, seconds: bench.seconds, bytesEach: 11_000 })).perSecond }), large(1, 'one'), large(8, 'eight')]
  }),
}

export const huge: Scenario = {
  name: 'huge', about: 'a file of 1 GiB by fifty clients at once: memory while it goes on, MiB/s',
  run: (bench) => eachRow(bench, 'A file of 1 GiB by fifty clients at once', [
    { key: 'right', label: 'right', shows: 'least' }, { key: 'speed', label: 'MiB/s', shows: 'most' }, { key: 'before', label: 'MiB before', shows: 'middle' }, { key: 'growth', label: 'MiB more at the peak', shows: 'middle' },
  ], { projects: [HUGE.project] }, async (server, row) => {
    const file = (await filesOf(bench.upstream.index, HUGE.project))[0]!
    const url = (await linksOf(server.index, HUGE.project)).get(file.filename)!
    const bytes = await bytesOf(file)
    if (row.caches) {
      const first = await download(url, bytes, { patience: 120 })
      if (!first.right) throw new Error(`the file is not right: ${first.why ?? first.status}`)
    }
    const before = memory(server.pids)
    const watch = watchMemory(server.pids)
    const began = performance.now()
    const agent = new Agent({ maxSockets: 50 })
    const answers = await Promise.all(Array.from({ length: 50 }, () => download(url, bytes, { agent, patience: 400 })))
    const seconds = (performance.now() - began) / 1000
    agent.destroy()
    const peak = watch.end()
    const right = answers.filter((answer) => answer.right).length
    return { right, speed: answers.reduce((sum, { size }) => sum + size, 0) / MIB / seconds, before: before / MIB, growth: (peak - before) / MIB }
  }, 1),
}

/** The one that everybody installs: 11 kB. */
async function smallFile({ upstream }: Bench): Promise<Listed> {
  const listed = await filesOf(upstream.index, SMALL)
  const wheels = listed.filter(({ filename, size }) => filename.endsWith('.whl') && size > 11_000 && size < 11_200)
  if (!wheels[0]) throw new Error(`no wheel of ${SMALL} has 11 kB`)
  return wheels.at(-1)!
}

/** Where a row has a file that it was asked for and gave rightly. A row that stores files gets a moment to have it on disk. */
async function warmFile(server: Server, row: Row, file: Listed): Promise<string> {
  const url = (await linksOf(server.index, file.filename.split('-')[0]!.replaceAll('_', '-'))).get(file.filename)
  if (url === undefined) throw new Error(`its page lacks ${file.filename}`)
  const { body, url: at } = await fetchBody(url)
  if (sha256(body) !== file.sha256) throw new Error(`${file.filename} is not right`)
  if (row.caches) await fetchBody(url)
  return at
}
