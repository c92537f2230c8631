/** `docs/waiting.md`, made from the function that decides how each client is held. */
import { MOST_BODY_BYTES } from '../src/services/bounds.ts'
import { LOOK_MS } from '../src/http/waiting/outcome.ts'
import { AWAY_MS } from '../src/services/hindrance.ts'
import { endingRows } from './client-endings.ts'
import { viewRows } from './promise-views.ts'
import { holdPlan, reach, RETRY_AFTER, type HoldInput } from '../src/domain/holding.ts'

type Who = Pick<HoldInput, 'client' | 'direct'>

const CLIENTS: [who: string, is: Who][] = [
  ['pip, directly', { client: { tool: 'pip' }, direct: true }],
  ['pip behind a proxy', { client: { tool: 'pip' }, direct: false }],
  ['uv', { client: { tool: 'uv' }, direct: true }],
  ['poetry and pdm, directly, on `/target/…`', { client: { tool: 'poetry' }, direct: true }],
  ['poetry and pdm behind a proxy, on `/target/…`', { client: { tool: 'poetry' }, direct: false }],
  ['any other', { client: { tool: 'other' }, direct: false }],
]

/** The page's text; `made` is the line that says so. */
export function waitingPage(made: string): string {
  return `# How clients wait

${made}

A wheel that is still being built is held back from whoever asks for it, in the way that each client endures: nothing is to be set in the client,
and here only [behind a proxy](#behind-a-proxy). What each of them endures was found by running it.

## Who waits

Only who is promised a wheel waits for it. The others get what is there: upstream's wheels, those that Muslin has built, and the sdist, which they compile themselves.

| Client | \`/simple/\` | \`/target/TARGET/simple/\` | \`/finished/simple/\` |
|---|---|---|---|
${viewRows().join('\n')}

On \`/simple/\` that holds for a pip or uv whose User-Agent shows a target of this server; on \`/target/…\` the address shows it. A lock is better off without promises: they have no hash yet,
and one that fails would stay in it. So what installs from a lock profits by \`muslin lock-hashes\` ([locks.md](locks.md)) or \`muslin prebuild\`. No promise is made under a host name that is not ours.

## How they are held

| Client | How it is held | How long at most |
|---|---|---|
${CLIENTS.map(([who, is]) => `| ${who} | ${moves(is)} | ${longest(is)} |`).join('\n')}

uv, and pip from 23.2 on, ask for the METADATA of all that they install before they ask for the first wheel: what an install lacks is built side by side. An older pip
is told of no METADATA that it would read, and waits for one wheel after the other.

A redirect leads to the same address with a signed number behind it, so a hold goes on whichever process answers, and after a restart. No answer
is ever a 102, 103, 301, 308, 408 or 429, and all but a finished wheel are \`no-store\`. A connection counts as direct only where nothing hints at a proxy: HTTP/1.1,
pip's own \`Connection: keep-alive\`, no \`Via\`, \`Forwarded\` or \`X-Forwarded-*\`, TLS ended here where \`publicUrl\` is https. A client whose connection breaks on a 100 counts
as behind a proxy for an hour; the setting \`behindProxy\` says so of all.

## How it ends

| When | The client gets |
|---|---|
| the wheel is built | the wheel |
| its build fails | 424, with one line in pip's and uv's own output: the cause, and the address of the whole log. The page no longer lists the promise |
| the client can wait no longer, or the setting \`holdLimit\` says so | 423: still building, and about how long yet, by the queue and by earlier builds of the project. The build goes on; run the same command again |
| the queue is full (\`queueLimit\`) | 423 at once, for who would add to it; who waits for what is queued already waits on |
| the client started too many new builds (\`buildsPerClient\`, \`metadataPerClient\`) | 423 at once; joining a build that others asked for counts as none |
| builds are paused (\`muslin pause\`) | 423 at once with the admin's reason, and within ${LOOK_MS / 1000} s for who waits for what is queued. What runs goes on, and so does the wait for it. Pages promise nothing meanwhile |
| no builder is ready: the engine or the last worker is gone | 423 at once. Who waits for what is queued is told after ${AWAY_MS / 60_000} minutes, so a restart is not felt. Pages promise nothing from the worker's next heartbeat on, or a minute after its last one |
| a recipe says that it is not built here | 424 with the recipe's reason, and within ${LOOK_MS / 1000} s for who waits for what is queued |
| its target is not configured any more | 424 that names those that are, with the same respite as where no builder is ready. An address that never was a promise is a 404 |
| this request may not start builds: no installer, or a strange host name | 424 at once, with what to do |
| the server is restarted | a redirect to the one that comes next, or a 503 where it came too late for that; pip and uv come back by themselves, and find the same build |

What each client then prints:

| Client | On | Its build fails | It can wait no longer | |
|---|---|---|---|---|
${endingRows().join('\n')}

## What a person sees meanwhile

A client shows nothing of why it is held. What goes on is told elsewhere.

| Where | What |
|---|---|
| \`muslin watch\` | each install that waits: how long, its job with its place or its step, about how long yet; and how it ended, with the cause and the link where it failed. On a terminal a table that is drawn over, else a line for each change |
| the pages of the project and of the job | who waits there now, and since when |
| \`GET /api/v1/waiting\` | the same as JSON; the event \`changed\` of \`/api/v1/events\` says when to look again |
| the server's log | \`hold\` when an install begins to wait, \`still held\` each minute, \`held\` with how it ended; its redirects and 503s with \`--log-level debug\` |

All of an install's requests for one wheel are one in these, through redirects and 503s. \`muslin watch\` shows those that asked from its own address; on the server's own
machine all, since containers have addresses of their own; elsewhere \`--all\` shows the others, as anybody may see jobs. \`own\` in \`GET /api/v1/waiting\` is a filter and no protection: behind a proxy
on the server's own machine that \`trustedProxies\` does not name, everybody counts as this machine. \`muslin watch NAME\` keeps to these projects, \`--once\` prints and ends, \`--json\` prints
an object a line: \`{"event": "waits" | "changed" | "still" | "ended", "install": …}\`, with \`--once\` one document. Ctrl-C ends it with 130, and no install with it; a server that
is away is asked again for a minute. What ended stays listed for a minute.

A web process knows the installs that it holds itself: where several serve one data folder, each shows its own, and so does each server's log.

## What helps

- Leave \`PIP_RETRIES\` and uv's retries as they are: each 503 takes one.
- \`muslin prebuild\` before a release, and nobody waits at all.
- \`--trusted-host HOST\` (\`PIP_TRUSTED_HOST\`) for pip where the index is plain http on another host: without it pip takes nothing from there.

## Behind a proxy

nginx by default asks us under the name that stands in \`proxy_pass\`, be it another machine's or that of an \`upstream\` group. Under a name that is not ours no wheel is promised, and **every install compiles for itself,
in silence**: the server's log warns once per name ("pages promise no wheels under this host name"). So let it pass on the client's:

\`\`\`nginx
server {
  listen 80;
  server_name muslin.example;
  client_max_body_size ${MOST_BODY_BYTES / 1_000_000}m;
  location / {
    proxy_pass http://muslin:8080;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  }
}
\`\`\`

\`\`\`toml
publicUrl = "http://muslin.example"
trustedProxies = ["10.0.0.5"]   # the proxy
\`\`\`

| Setting | Is for | Without it |
|---|---|---|
| \`publicUrl\` | the address that people use: its host is one of ours, and links in what clients print are under it. https there, and plain http here, says that the proxy ends the TLS. A path is taken off where the proxy passes it on | links are under the name that the proxy passed on, which may be \`127.0.0.1:8080\` |
| \`allowedHosts\` | more names that clients use, or the one in \`proxy_pass\` where its \`Host\` cannot be changed | nothing is promised under them |
| \`trustedProxies\` | the proxy's own address or network: its \`X-Forwarded-For\` names the client | all who come through it are one client: they share \`buildsPerClient\`, \`metadataPerClient\` and \`aheadPerClient\`, and \`muslin watch\` shows each of them the installs of all |
| \`behindProxy\` | a proxy that speaks HTTP/1.1 and leaves no trace in the headers | it is noticed when a connection breaks on a 100 |

IP addresses, \`localhost\` and the machine's own name always are ours. nginx's timeouts and buffers do as they are; a lock of more than 1 MB needs the \`client_max_body_size\`. To see that it works, ask through the proxy for a
release that is still to be built, by \`curl -s http://muslin.example/target/TARGET/simple/PROJECT/ | grep promise\`: without a line the name is not ours, nothing is to be built, or no builder is ready.
`
}

function moves({ client, direct }: Who): string {
  const at = (hop: number, ageMs: number | undefined) => holdPlan({ client, direct, settled: true, hop, ageMs, waitedMs: 0, holdLimitMs: undefined })
  const { interim, holdMs } = at(0, undefined)
  const { urls } = reach({ client, direct, holdLimitMs: undefined })
  const redirect = `a 307, ${urls - 1} times at most`
  if (interim) return `a \`100 Continue\` every ${interim.everyMs / 1000} s; after ${interim.count} of them ${redirect}`
  const retries = retriesOf({ client, direct })
  return `${holdMs / 1000} s, then ${redirect}${retries === 0 ? '' : `; behind each of them first up to ${retries} times ${holdMs / 1000} s and a 503 with \`Retry-After: ${RETRY_AFTER}\``}`
}

/** On the second URL, by a client that comes back when it is told to. */
function retriesOf({ client, direct }: Who): number {
  for (let [count, ageMs] = [0, 0]; ; count++) {
    const { holdMs, then } = holdPlan({ client, direct, settled: true, hop: 1, ageMs, waitedMs: 0, holdLimitMs: undefined })
    if (then !== 'retry') return count
    ageMs += holdMs + RETRY_AFTER * 1000
  }
}

function longest(is: Who): string {
  const minutes = reach({ ...is, holdLimitMs: undefined }).ms / 60_000
  return minutes > 120 ? `${Math.floor(minutes / 60)} hours` : `${Math.floor(minutes)} minutes`
}
