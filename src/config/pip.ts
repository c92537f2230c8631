import { execa } from 'execa'

/** What pip on this machine says about itself. */
export interface Pip {
  /** How it is called here, for people: `python3 -m pip`. */
  command: string
  /** Values of its configuration by name without the section (`index-url`), and the section each came from (`global`). */
  config: Map<string, { value: string; section: string }>
  /** The default of its option `--index-url`, as its own help prints it. */
  defaultIndex(): Promise<string | undefined>
}

const CALLS = [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip']]

/** Asks the first pip that answers; undefined where there is none. */
export async function askPip(env: Record<string, string | undefined>): Promise<Pip | undefined> {
  for (const call of CALLS) {
    const listed = await run(call, ['config', 'list'], env)
    if (listed === undefined) continue
    return { command: call.join(' '), config: parseConfig(listed), defaultIndex: async () => parseDefault(await run(call, ['download', '--help'], env)) }
  }
  return undefined
}

async function run(call: string[], words: string[], env: Record<string, string | undefined>): Promise<string | undefined> {
  const [file = '', ...before] = call
  const result = await execa(file, [...before, '--disable-pip-version-check', ...words], {
    // Help is folded at the terminal's width, and would fold a URL.
    env: { ...env, COLUMNS: '1000', NO_COLOR: '1' }, extendEnv: false,
    reject: false, stdin: 'ignore', stderr: 'ignore', timeout: 20_000, maxBuffer: 1_000_000,
  })
  return result.failed ? undefined : result.stdout
}

// Values of `pip config list` that beat others of the same name come first: a command's section beats `global`, and pip reads
// `install` and `download` alike for an index.
const SECTIONS = ['install', 'download', 'global']

function parseConfig(listed: string): Pip['config'] {
  const config: Pip['config'] = new Map()
  for (const section of SECTIONS) {
    for (const line of listed.split('\n')) {
      const [, inSection, name, quoted] = /^([\w:-]+)\.([\w-]+)=(.*)$/.exec(line.trim()) ?? []
      if (inSection === section && name !== undefined && quoted !== undefined && !config.has(name)) config.set(name, { value: unquote(quoted), section })
    }
  }
  return config
}

/** A value as Python's repr prints it. */
function unquote(quoted: string): string {
  return quoted.replace(/^(['"])(.*)\1$/, '$2').replace(/\\(['"\\])/g, '$1')
}

function parseDefault(help: string | undefined): string | undefined {
  return /--index-url[^(]*\(default (https?:\/\/[^\s)]+)\)/.exec(help ?? '')?.[1]
}
