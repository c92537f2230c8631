/** `npm --prefix bench run smoke`: a minute of the bench without peers and without a recording, held against wide bounds: that the bench works, and that nothing has become slower by far. */
import { withBench } from './lib/bench.ts'
import { figure, markdown, ratio, type Measured } from './lib/table.ts'
import { atLeast, atMost, line } from './musts/must.ts'
import { rowsByName } from './rows/rows.ts'
import { scenariosByName } from './scenarios/scenarios.ts'

const musts = await withBench({ rows: rowsByName(['muslin', 'nginx-static']), rounds: 1, seconds: 1, made: true }, async (bench) => {
  const results = new Map<string, Measured>()
  for (const scenario of scenariosByName(['hot', 'unchanged', 'crowd', 'cold', 'files', 'storm'])) {
    bench.say(`== ${scenario.name}`)
    const measured = await scenario.run(['cold', 'storm'].includes(scenario.name) ? { ...bench, rows: bench.rows.filter(({ name }) => name === 'muslin') } : bench)
    results.set(scenario.name, measured)
    console.log(markdown(measured))
  }
  const of = (scenario: string, key: string): number => figure(results.get(scenario)!, 'muslin', key)
  return [
    atLeast('numpy JSON gzip, of nginx\'s rate', ratio(results.get('hot')!, 'numpy json', 'muslin', 'nginx-static'), 0.1),
    atLeast('304 of numpy, of nginx\'s rate', ratio(results.get('unchanged')!, '304', 'muslin', 'nginx-static'), 0.02),
    atLeast('six at 1,000 connections, of nginx\'s rate', ratio(results.get('crowd')!, 'rate', 'muslin', 'nginx-static'), 0.02),
    atMost('cold pages, median', of('cold', 'median'), 2000, ' ms'),
    atMost('upstream GETs for ten cold pages', of('cold', 'gets'), 10),
    atLeast('20 MiB file, eight at a time', of('files', 'eight'), 25, ' MiB/s'),
    ...['page', 'file', 'file, first leaves'].flatMap((key) => [atLeast(`storm on a cold ${key}: right`, of('storm', `${key} right`), 100), atMost(`storm on a cold ${key}: upstream fetches`, of('storm', `${key} fetches`), 1)]),
  ]
})
const failed = musts.filter(({ met }) => !met).length
console.log(`${musts.map(line).join('\n')}\n${musts.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
