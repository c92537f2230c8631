/**
 * `npm --prefix bench run smoke`: a minute of the bench without peers and without a recording: that the bench works, and that nothing has become slower by far. Its bounds are wide
 * enough for two cores that do much else besides, and too high for pages and 304s that are made anew for each request.
 */
import { withBench, type Bench } from './lib/bench.ts'
import { figure, markdown, type Measured } from './lib/table.ts'
import { atLeast, atMost, line } from './musts/must.ts'
import { rowsByName } from './rows/rows.ts'
import { hotNumpy } from './scenarios/pages.ts'
import { scenariosByName } from './scenarios/scenarios.ts'

/** In three rounds, of which the best of each row counts: the machine may be busy with something else for the others. */
const COMPARED = [hotNumpy, ...scenariosByName(['unchanged', 'crowd'])]
const ALONE = scenariosByName(['cold', 'files', 'storm'])

const musts = await withBench({ rows: rowsByName(['muslin', 'nginx-static']), rounds: 1, seconds: 1, made: true }, async (bench) => {
  const results = new Map<string, Measured>()
  const measure = async (scenarios: typeof COMPARED, how: Bench): Promise<void> => {
    for (const scenario of scenarios) {
      bench.say(`== ${scenario.name}`)
      const measured = await scenario.run(how)
      results.set(scenario.name, measured)
      console.log(markdown(measured))
    }
  }
  await measure(COMPARED, { ...bench, rounds: 3 })
  await measure(ALONE, { ...bench, rows: bench.rows.filter(({ name }) => name === 'muslin') })
  const of = (scenario: string, key: string): number => figure(results.get(scenario)!, 'muslin', key)
  const ofNginx = (scenario: string, key: string): number => of(scenario, key) / figure(results.get(scenario)!, 'nginx-static', key)
  return [
    atLeast('numpy JSON gzip, of nginx\'s rate', ofNginx('hot', 'numpy json'), 0.15),
    atLeast('304 of numpy, of nginx\'s rate', ofNginx('unchanged', '304'), 0.15),
    atLeast('six at 1,000 connections, of nginx\'s rate', ofNginx('crowd', 'rate'), 0.15),
    atMost('cold pages, median', of('cold', 'median'), 500, ' ms'),
    atMost('upstream GETs for ten cold pages', of('cold', 'gets'), 10),
    atLeast('20 MiB file, eight at a time', of('files', 'eight'), 100, ' MiB/s'),
    ...['page', 'file', 'file, first leaves'].flatMap((key) => [
      atLeast(`storm on a cold ${key}: right`, of('storm', `${key} right`), 100),
      atMost(`storm on a cold ${key}: upstream fetches`, of('storm', `${key} fetches`), 1),
      atMost(`storm on a cold ${key}: first byte of the last client`, of('storm', `${key} first`), 5, ' s'),
    ]),
  ]
})
const failed = musts.filter(({ met }) => !met).length
console.log(`${musts.map(line).join('\n')}\n${musts.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
