/** What Muslin must reach. What was not measured has no figure, and meets no bound. */
import type { Bench } from '../lib/bench.ts'
import { MIB } from '../lib/figures.ts'
import { bestRound, figure, ratio, type Measured } from '../lib/table.ts'
import type { Row } from '../rows/row.ts'
import { atLeast, atMost, type Must } from './must.ts'

type Results = ReadonlyMap<string, Measured>

/** One core, beside nginx with ready files, in the same run. */
export function speedMusts(results: Results, bench: Pick<Bench, 'rows' | 'peaks'>): Must[] {
  const of = (scenario: string): Measured => measuredIn(results, scenario)
  const [hot, mix, crowd, unchanged, files, cold, startup] = [of('hot'), of('mix'), of('crowd'), of('unchanged'), of('files'), of('cold'), of('start')]
  const rateOf = ({ name }: Row): number => figure(hot, name, 'numpy json')
  const peers = bench.rows.filter(({ peer }) => peer).map(rateOf).filter(Number.isFinite)
  // nginx-cache is what a team has without any product: it counts beside one.
  const rivals = [...peers, ...bench.rows.filter(({ name }) => name === 'nginx-cache').map(rateOf).filter(Number.isFinite)]
  const [crowdRate, crowdWait] = bestRound(crowd, 'muslin', ['rate', 'p99']) as [number, number]
  const [eight, eightCpu] = bestRound(files, 'muslin', ['eight', 'eight cpu']) as [number, number]
  return [
    atLeast('numpy JSON gzip, of nginx\'s rate', ratio(hot, 'numpy json', 'muslin', 'nginx-static'), 0.8),
    atLeast('numpy JSON gzip, times the best peer\'s rate', peers.length === 0 ? Number.NaN : figure(hot, 'muslin', 'numpy json') / Math.max(...rivals), 60),
    atLeast('fifty pages mixed, of nginx\'s rate', ratio(mix, 'mix', 'muslin', 'nginx-static'), 0.7),
    atLeast('six at 1,000 connections', crowdRate, 15_000, '/s'),
    atMost('six at 1,000 connections, p99 in the same round', crowdWait, 200, ' ms'),
    atLeast('304 of numpy', figure(unchanged, 'muslin', '304'), 40_000, '/s'),
    atLeast('20 MiB file, eight at a time', eight, 700, ' MiB/s'),
    atMost('20 MiB file, eight at a time, CPU in the same round', eightCpu, 1.3, ' s/GiB'),
    atLeast('20 MiB file, eight at a time, by X-Accel, of nginx\'s', ratio(files, 'eight', 'muslin-nginx', 'nginx-static'), 0.9),
    atLeast('wheels of 11 kB', figure(files, 'muslin', 'small'), 6000, '/s'),
    atMost('cold pages, median', figure(cold, 'muslin', 'median'), 30, ' ms'),
    atMost('upstream GETs for ten cold pages', figure(cold, 'muslin', 'gets'), 10),
    atMost('first page with 1,000 cached projects', figure(startup, 'muslin', 'kept'), 1000, ' ms'),
    atMost('idle', Math.max(figure(startup, 'muslin', 'idle'), figure(startup, 'muslin', 'kept idle')), 110, ' MiB'),
    atMost('peak over the whole run', (bench.peaks.get('muslin') ?? Number.NaN) / MIB, 250, ' MiB'),
  ]
}

/** A hundred clients on what is cold, and fifty on what is huge. */
export function stormMusts(results: Results): Must[] {
  const [storm, huge] = [measuredIn(results, 'storm'), measuredIn(results, 'huge')]
  return [
    ...['page', 'file', 'file, first leaves'].flatMap((key) => [
      atLeast(`storm on a cold ${key}: right`, figure(storm, 'muslin', `${key} right`), 100),
      atMost(`storm on a cold ${key}: upstream fetches`, figure(storm, 'muslin', `${key} fetches`), 1),
      atMost(`storm on a cold ${key}: first byte of the last client`, figure(storm, 'muslin', `${key} first`), 0.5, ' s'),
      atMost(`storm on a cold ${key}: memory`, figure(storm, 'muslin', `${key} growth`), 50, ' MiB more'),
    ]),
    atLeast('1 GiB by fifty at once: right', figure(huge, 'muslin', 'right'), 50),
    atMost('1 GiB by fifty at once: memory', figure(huge, 'muslin', 'growth'), 50, ' MiB more'),
  ]
}

/** What was seen before is there at once, whatever the upstream does; what was not is never called missing. */
export function outageMusts(results: Results): Must[] {
  const measured = measuredIn(results, 'outage')
  const seen = ['gone page', 'gone file', 'restart page', 'restart file', 'silent page', 'silent file']
  const cells = measured.rows.get('muslin')
  return [
    ...seen.map((key) => ({ ...atMost(`${key}, seen before`, figure(measured, 'muslin', key), 100, ' ms'), ...cells?.[`${key} status`] !== '200' && { met: false } })),
    ...['gone new page', 'gone new file', 'silent new page'].map((key): Must => ({ what: `${key}: its status`, value: Number(cells?.[`${key} status`]), bound: '502 to 504', met: /^50[2-4]$/.test(String(cells?.[`${key} status`])) })),
  ]
}

/** Nine runs of each, interleaved. */
export function installMusts(measured: Measured, bench: Pick<Bench, 'rows'>): Must[] {
  return (['pip', 'uv'] as const).flatMap((client) => {
    const ours = figure(measured, 'muslin', client)
    const peers = bench.rows.filter(({ peer, metadata }) => peer && metadata).map(({ name }) => figure(measured, name, client)).filter(Number.isFinite)
    return [
      atMost(`hot install by ${client}, of nginx's time`, ours / figure(measured, 'nginx-static', client), 1.1),
      atMost(`hot install by ${client}, of the fastest peer's time`, peers.length === 0 ? Number.NaN : ours / Math.min(...peers), 1),
    ]
  })
}

function measuredIn(results: Results, scenario: string): Measured {
  return results.get(scenario) ?? { title: scenario, columns: [], rows: new Map(), notes: [] }
}
