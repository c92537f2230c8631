/** One core, beside nginx with ready files, in the same run. */
import type { Bench } from '../lib/bench.ts'
import { MIB } from '../lib/figures.ts'
import { figure, ratio, type Measured } from '../lib/table.ts'
import { atLeast, atMost, type Must } from './must.ts'

/** What the requirements of speed need of the scenarios' results. */
export function speedMusts(results: Map<string, Measured>, bench: Bench): Must[] {
  const of = (scenario: string): Measured => results.get(scenario) ?? { title: scenario, columns: [], rows: new Map(), notes: [] }
  const [hot, mix, crowd, unchanged, files, cold, startup] = [of('hot'), of('mix'), of('crowd'), of('unchanged'), of('files'), of('cold'), of('start')]
  // nginx-cache is what a team has without any product: it counts as one here.
  const rivals = bench.rows.filter(({ peer, name }) => peer || name === 'nginx-cache').map(({ name }) => figure(hot, name, 'numpy json')).filter(Number.isFinite)
  const rate = figure(hot, 'muslin', 'numpy json')
  return [
    atLeast('numpy JSON gzip, of nginx\'s rate', ratio(hot, 'numpy json', 'muslin', 'nginx-static'), 0.8),
    ...rivals.length > 0 ? [atLeast('numpy JSON gzip, times the best peer\'s rate', rate / Math.max(...rivals), 60)] : [],
    atLeast('fifty pages mixed, of nginx\'s rate', ratio(mix, 'mix', 'muslin', 'nginx-static'), 0.7),
    atLeast('six at 1,000 connections', figure(crowd, 'muslin', 'rate'), 15_000, '/s'),
    atMost('six at 1,000 connections, p99', figure(crowd, 'muslin', 'p99'), 200, ' ms'),
    atLeast('304 of numpy', figure(unchanged, 'muslin', '304'), 40_000, '/s'),
    atLeast('20 MiB file, eight at a time', figure(files, 'muslin', 'eight'), 700, ' MiB/s'),
    atMost('20 MiB file, eight at a time, CPU', figure(files, 'muslin', 'eight cpu'), 1.3, ' s/GiB'),
    ...bench.rows.some(({ name }) => name === 'muslin-nginx') ? [atLeast('20 MiB file, eight at a time, by X-Accel, of nginx\'s', ratio(files, 'eight', 'muslin-nginx', 'nginx-static'), 0.9)] : [],
    atLeast('wheels of 11 kB', figure(files, 'muslin', 'small'), 6000, '/s'),
    atMost('cold pages, median', figure(cold, 'muslin', 'median'), 30, ' ms'),
    atMost('upstream GETs for ten cold pages', figure(cold, 'muslin', 'gets'), 10),
    atMost('first page with 1,000 cached projects', figure(startup, 'muslin', 'kept'), 1000, ' ms'),
    atMost('idle', Math.max(figure(startup, 'muslin', 'idle'), figure(startup, 'muslin', 'kept idle')), 110, ' MiB'),
    atMost('peak over the whole run', (bench.peaks.get('muslin') ?? Number.NaN) / MIB, 250, ' MiB'),
  ]
}

/** A hundred clients on what is cold, and fifty on what is huge. */
export function stormMusts(results: Map<string, Measured>): Must[] {
  const storm = results.get('storm')
  const huge = results.get('huge')
  if (!storm || !huge) return []
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
export function outageMusts(measured: Measured | undefined): Must[] {
  if (!measured) return []
  const seen = ['gone page', 'gone file', 'restart page', 'restart file', 'silent page', 'silent file']
  const cells = measured.rows.get('muslin')
  return [
    ...seen.map((key) => ({ ...atMost(`${key}, seen before`, figure(measured, 'muslin', key), 100, ' ms'), ...cells?.[`${key} status`] !== '200' && { met: false } })),
    ...['gone new page', 'gone new file', 'silent new page'].map((key): Must => ({ what: `${key}: its status`, value: Number(cells?.[`${key} status`]), bound: '502 to 504', met: /^50[2-4]$/.test(String(cells?.[`${key} status`])) })),
  ]
}

/** Nine runs of each, interleaved. */
export function installMusts(measured: Measured | undefined, bench: Bench): Must[] {
  if (!measured) return []
  return (['pip', 'uv'] as const).flatMap((client) => {
    const ours = figure(measured, 'muslin', client)
    const peers = bench.rows.filter(({ peer, metadata }) => peer && metadata).map(({ name }) => figure(measured, name, client)).filter(Number.isFinite)
    return [
      atMost(`hot install by ${client}, of nginx's time`, ours / figure(measured, 'nginx-static', client), 1.1),
      ...peers.length > 0 ? [atMost(`hot install by ${client}, of the fastest peer's time`, ours / Math.min(...peers), 1)] : [],
    ]
  })
}
