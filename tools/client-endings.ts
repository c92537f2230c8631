/** What each client prints when a wheel does not come. It was found by running them: `test/e2e/clients.toml` must agree, which `npm test` checks. */

export interface Ending {
  /** `cause`: the failure and the address of its log; `still`: that the build goes on; both on its own output. */
  says: 'cause' | 'still' | 'nothing'
  exit: number
}

export interface ClientEndings {
  /** The view that it is pointed to. */
  view: '/simple/' | '/target/' | '/finished/simple/'
  fails: Ending
  /** The build takes longer than one of its requests is held. */
  outlasts: Ending
  /** How often one install asks for a wheel that it does not get. */
  tries: number
  /** Where in its output our words are. */
  as?: string
  note?: string
}

const REASON = 'the reason phrase, behind `424 Client Error:`'

export const CLIENT_ENDINGS: Record<'pip' | 'uv' | 'poetry' | 'pdm' | 'pipenv', ClientEndings> = {
  pip: { view: '/simple/', fails: { says: 'cause', exit: 1 }, outlasts: { says: 'still', exit: 1 }, tries: 1, as: REASON },
  uv: {
    view: '/simple/', fails: { says: 'cause', exit: 2 }, outlasts: { says: 'still', exit: 2 }, tries: 1,
    as: 'the problem\'s title and detail, behind `Server message:`, then the reason phrase',
  },
  poetry: {
    view: '/target/', fails: { says: 'cause', exit: 1 }, outlasts: { says: 'nothing', exit: 0 }, tries: 3, as: REASON,
    note: 'only when the last of its tries ends so does it print the reason phrase',
  },
  pdm: {
    view: '/target/', fails: { says: 'nothing', exit: 1 }, outlasts: { says: 'nothing', exit: 0 }, tries: 3,
    note: '`pdm lock` itself says "Lock successful" each time, and leaves a lock without that release\'s files: lock again once it is built, or `muslin prebuild` first',
  },
  pipenv: {
    view: '/finished/simple/', fails: { says: 'nothing', exit: 1 }, outlasts: { says: 'nothing', exit: 0 }, tries: 0,
    note: 'by its User-Agent it is a pip, so `/simple/` would hold it, for a wheel that it then leaves: it checks hashes and a promise has none',
  },
}

/** The rows of a table: client, its view, when the build fails, when it outlasts a request, what else there is to know. */
export function endingRows(): string[] {
  return Object.entries(CLIENT_ENDINGS).map(([client, { view, fails, outlasts, tries, as, note }]) => {
    if (tries === 0) return row(client, shownView(view), 'it compiles the sdist itself, and its compiler says what is missing', 'it never waits', note)
    const failed = `${fails.says === 'nothing' ? 'nothing of ours' : `the cause and the log's address, as ${as}`}; exit code ${fails.exit}`
    const late = outlasts.exit === 0 ? `nothing: it asks again by itself, ${tries} times in all` : `likewise, that it is still being built (423); exit code ${outlasts.exit}`
    return row(client, shownView(view), failed, late, note)
  })
}

function shownView(view: ClientEndings['view']): string {
  return `\`${view === '/target/' ? '/target/TARGET/simple/' : view}\``
}

function row(...cells: (string | undefined)[]): string {
  return `| ${cells.map((cell) => cell ?? '').join(' | ')} |`
}
