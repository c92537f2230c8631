/** What a row does not have yet. */
import { ask, download, fetchBody, pageHeaders } from '../lib/client.ts'
import { median, MIB } from '../lib/figures.ts'
import type { Bench } from '../lib/bench.ts'
import type { Cell, Column } from '../lib/table.ts'
import { BIG } from '../upstream/made.ts'
import { bytesOf, filesOf, linksOf } from '../upstream/listing.ts'
import { eachRow } from './each-row.ts'
import type { Scenario } from './scenario.ts'

const TEN = ['six', 'requests', 'pandas', 'boto3', 'numpy', 'grpcio', 'aiohttp', 'pydantic', 'attrs', 'cryptography']

export const cold: Scenario = {
  name: 'cold', about: 'ten pages that a row has never seen: milliseconds, and how often it asks the upstream',
  run: async (bench) => {
    const projects = bench.upstream.recording === undefined ? bench.upstream.mix.slice(-10) : TEN
    const columns: Column[] = [{ key: 'median', label: 'median ms', shows: 'middle' }, { key: 'max', label: 'max ms', shows: 'middle' }, { key: 'gets', label: 'upstream GETs', shows: 'middle' }, ...projects.map((key): Column => ({ key, label: key, shows: 'middle' }))]
    return eachRow(bench, 'Cold pages, JSON, one client', columns, { projects }, async (server, row) => {
      // The upstream's own code must be warm, and a row that begins by reading the list of all projects gets that over with.
      for (const project of projects) await fetchBody(`${bench.upstream.index}${project}/`, pageHeaders('json'))
      if (row.caches) await ask(`${server.index}made-many-1/`, { headers: pageHeaders('json') })
      await bench.upstream.forget()
      const took: Record<string, number> = {}
      for (const project of projects) {
        const answer = await ask(`${server.index}${project}/`, { headers: pageHeaders('json') })
        if (answer.status !== 200) throw new Error(`${project}: ${answer.why ?? `status ${answer.status}`}`)
        took[project] = answer.total
      }
      const all = Object.values(took)
      return { ...took, median: median(all), max: Math.max(...all), gets: await asks(bench) }
    })
  },
}

export const firstByte: Scenario = {
  name: 'first-byte', about: 'a file of 20 MiB that a row has never seen, from an upstream of 8 MiB/s: milliseconds to its first byte, and to that of its last megabyte',
  run: (bench) => eachRow(bench, 'First byte of a cold 20 MiB file (the upstream gives 8 MiB/s: 2.5 s for the whole)', [
    { key: 'first', label: 'first byte ms', shows: 'middle' }, { key: 'whole', label: 'whole s', shows: 'middle' }, { key: 'range', label: 'range at its end ms', shows: 'middle' },
  ], {}, async (server, row) => {
    if (!row.caches && row.name !== 'direct') throw new Error('it fetches no files')
    const files = await filesOf(bench.upstream.index, BIG.project)
    const links = await linksOf(server.index, BIG.project)
    const at = (index: number): string => links.get(files[index]!.filename)!
    await bench.upstream.set({ bandwidth: 8 * MIB })
    try {
      const answer = await download(at(0), await bytesOf(files[0]!))
      if (!answer.right) throw new Error(`the file is not right: ${answer.why ?? answer.status}`)
      const range = await ask(at(1), { headers: { Range: `bytes=${files[1]!.size - MIB}-` } })
      const figures: Record<string, Cell> = { first: [answer.first], whole: [answer.total / 1000], range: range.status === 206 ? [range.first] : `status ${range.status}` }
      return figures
    } finally {
      await bench.upstream.set({ bandwidth: 0 })
    }
  }),
}

async function asks({ upstream }: Bench): Promise<number> {
  return [...(await upstream.asked()).values()].reduce((sum, times) => sum + times, 0)
}
