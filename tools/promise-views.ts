/** Who is promised wheels on which view: by the functions that decide it, asked with each client's User-Agent. */
import { parseUserAgent } from '../src/domain/client.ts'
import { startsBuilds } from '../src/services/admission.ts'

const UV = ['pip install', 'tool install', 'tool run', 'uvx', 'run', 'sync', 'add', 'lock', 'export', 'pip sync', 'pip compile']

const AGENTS: [who: string, agent: string][] = [
  ['pip', 'pip/26.3 {}'],
  ...UV.map((words): [string, string] => [`\`${words === 'uvx' ? words : `uv ${words}`}\``, `uv/0.13.9 ${JSON.stringify({ installer: { subcommand: words.split(' ') } })}`]),
  ['poetry', 'poetry/2.5.1'],
  ['pdm', 'pdm/2.29.3'],
  ['anything else', 'python-requests/2.32.3'],
]

const PROMISED = 'waits while it is built'
const THERE = 'what is there'
const REFUSED = 'listed, but it starts no build: 424, unless another has started it'

/** The rows of a table: clients that are treated alike, `/simple/`, `/target/…`, `/finished/simple/`. */
export function viewRows(): string[] {
  const alike = Map.groupBy(AGENTS, ([, agent]) => {
    const client = parseUserAgent(agent)
    return [client.installs ? PROMISED : THERE, startsBuilds(client) ? PROMISED : REFUSED, THERE].join(' | ')
  })
  return [...alike].map(([told, clients]) => `| ${clients.map(([who]) => who).join(', ')} | ${told} |`)
}
