import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findUpstream } from '../../src/config/default-upstream.ts'
import { askPip } from '../../src/config/pip.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'muslin-pip-')) })
afterEach(() => rmSync(folder, { recursive: true }))

// A pip on the PATH that prints what pip prints: the commands and the format are the same from pip 9 to 26.
function machine(config: string[], help = HELP, command = 'pip3'): { PATH: string } {
  const script = `#!/bin/sh\ncase "$*" in *"config list"*) cat <<'END'\n${config.join('\n')}\nEND\n;; *help*) cat <<'END'\n${help}\nEND\n;; esac\n`
  writeFileSync(join(folder, command), script)
  chmodSync(join(folder, command), 0o755)
  writeFileSync(join(folder, 'cat'), '#!/bin/sh\nwhile IFS= read -r line; do printf "%s\\n" "$line"; done\n')
  chmodSync(join(folder, 'cat'), 0o755)
  return { PATH: folder }
}

const HELP = `Package Index Options:
  -i, --index-url <url>       Base URL of the Python Package Index (default https://own.example/simple). This should point to a repository.
  --extra-index-url <url>     Extra URLs of package indexes to use in addition to --index-url.`

test('the setting wins', async () => {
  expect(await findUpstream({ setting: 'https://set.example/simple/', env: { ...machine([]), PIP_INDEX_URL: 'https://env.example/' } }))
    .toEqual({ url: 'https://set.example/simple/', from: 'the setting upstream' })
})

test('then PIP_INDEX_URL', async () => {
  expect(await findUpstream({ setting: undefined, env: { ...machine(["global.index-url='https://conf.example/simple'"]), PIP_INDEX_URL: 'https://env.example/simple' } }))
    .toEqual({ url: 'https://env.example/simple', from: 'PIP_INDEX_URL' })
})

test('then the configuration of pip, a command\'s section before the global one', async () => {
  const env = machine(["global.cert='/ca.pem'", "global.index-url='https://global.example/simple'", "install.index-url='https://me:p@install.example/simple'"])
  expect(await findUpstream({ setting: undefined, env }))
    .toEqual({ url: 'https://me:p@install.example/simple', from: "pip's configuration (install.index-url, asked of pip3)" })
})

test('then pip\'s own default', async () => {
  expect(await findUpstream({ setting: undefined, env: machine([]) })).toEqual({ url: 'https://own.example/simple', from: "pip's own default (asked of pip3)" })
})

test('python3 -m pip is asked before others', async () => {
  machine([], HELP.replace('own.example', 'python.example'), 'python3')
  expect(await findUpstream({ setting: undefined, env: machine([]) })).toEqual({ url: 'https://python.example/simple', from: "pip's own default (asked of python3 -m pip)" })
})

test('without any the error names the remedies', async () => {
  await expect(findUpstream({ setting: undefined, env: { PATH: folder } })).rejects.toMatchObject({
    code: 'no-upstream', detail: 'there is no pip on this machine to ask; give --upstream URL, MUSLIN_UPSTREAM or PIP_INDEX_URL',
  })
  await expect(findUpstream({ setting: undefined, env: machine([], 'no such option') })).rejects.toMatchObject({ code: 'no-upstream' })
})

test('what is no http URL is refused', async () => {
  await expect(findUpstream({ setting: undefined, env: { PIP_INDEX_URL: 'file:///srv/index' } })).rejects.toMatchObject({ code: 'bad-settings' })
})

test('values are read as Python prints them', async () => {
  const pip = await askPip(machine(['global.index-url="https://a.example/it\'s"', "global.cert='/with space/ca.pem'"]))
  expect(pip?.config.get('index-url')?.value).toBe("https://a.example/it's")
  expect(pip?.config.get('cert')?.value).toBe('/with space/ca.pem')
})
