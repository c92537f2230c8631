/** The pages of `docs/` that are made from tables in the code. `npm run docs` writes them; a test compares them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { flagName, OPTION_NAMES, OPTIONS, variableName } from '../src/config/options.ts'
import type { OptionName } from '../src/config/settings.ts'
import { OTHER_VARIABLES } from '../src/config/sources.ts'
import { UPSTREAM_KEYS } from '../src/config/upstream-table.ts'
import { FAILURE_CLASSES } from '../src/domain/failure.ts'
import { ERRORS } from '../src/errors.ts'
import { recipesPage } from './recipes-page.ts'
import { storagePage } from './storage-page.ts'
import { waitingPage } from './waiting-page.ts'

/** Page by file name. */
export const PAGES: Record<string, () => string> = { 'configuration.md': configurationPage, 'errors.md': errorsPage, 'recipes.md': () => recipesPage(MADE), 'storage.md': () => storagePage(MADE), 'waiting.md': () => waitingPage(MADE) }

const MADE = '<!-- Made from the code by `npm run docs`. -->'

function configurationPage(): string {
  return `# Configuration

${MADE}

A setting is taken from its flag, else from its environment variable, else from the settings file, else it has its default. The file is
\`muslin.toml\` in the working folder, or the one that \`--config FILE\` or \`MUSLIN_CONFIG\` names; a name with a dot is a table there
(\`[limits]\`, then \`cpu = 2\`). A name that Muslin does not know, in the file or as a \`MUSLIN_…\` variable, stops the start.

| Setting | Flag | Variable | Default | Accepted |
|---|---|---|---|---|
${OPTION_NAMES.map(settingRow).join('\n')}

${OPTION_NAMES.map((name) => `**${name}**: ${OPTIONS[name].text}`).join('\n\n')}

## An upstream's table

The keys of \`[upstreams.NAME]\`. Each is also a variable: \`proxy\` of \`[upstreams.my-team]\` is \`MUSLIN_UPSTREAMS_MY_TEAM_PROXY\`.
[upstreams.md](upstreams.md) shows them at work.

| Key | Accepted | Is |
|---|---|---|
${Object.entries(UPSTREAM_KEYS).map(([key, { kind, text }]) => row(`\`${key}\``, kind.accepts, text)).join('\n')}

## Other variables

| Variable | Is |
|---|---|
${Object.entries(OTHER_VARIABLES).map(([name, text]) => row(`\`${name}\``, text)).join('\n')}

## An example

\`\`\`toml
port = 8080
publicUrl = "https://muslin.example"
targets = ["cp313-musllinux_1_2_x86_64"]
workers = 4

[limits]
memory = "8g"
time = "1h"

[builderImages]
cp313-musllinux_1_2_x86_64 = "registry.example/muslin-builder:3.13"
\`\`\`
`
}

function settingRow(name: OptionName): string {
  const { kind, fallbackText, fileOnly } = OPTIONS[name]
  return row(`\`${name}\``, ...fileOnly ? ['none', 'none'] : [`\`${flagName(name)}\``, `\`${variableName(name)}\``], fallbackText ?? defaultText(name), kind.accepts)
}

/** Defaults that depend on the machine have a text of their own: any machine will do here. */
function defaultText(name: OptionName): string {
  const value = OPTIONS[name].fallback({ cores: 1, memory: 0, cpu: 'x86_64', pythons: [] })
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' || typeof value === 'number' ? `\`${value}\`` : 'none'
}

function errorsPage(): string {
  return `# Errors

${MADE}

## What Muslin answers with

Each error has a stable code. Over HTTP it is \`application/problem+json\` (or a page, for browsers) with that \`code\` and a one-line
\`detail\`, which pip and uv also find in the reason phrase. A command prints title and detail on standard error and ends with exit code 3
where its words or settings are wrong, and with 1 otherwise.

| Code | Status | Means | What to do |
|---|---|---|---|
${Object.entries(ERRORS).map(([code, { status, title, remedy }]) => row(`\`${code}\``, String(status), title, remedy)).join('\n')}

## Why a build failed

The line that an installer prints, and the page behind its link, name one of these classes. "…" stands for what the log named.

| Class | The release | What to do |
|---|---|---|
${Object.entries(FAILURE_CLASSES).map(([name, { cause, remedy }]) => row(`\`${name}\``, cause('…'), sentence(remedy))).join('\n')}
`
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

if (import.meta.main) {
  for (const [file, page] of Object.entries(PAGES)) writeFileSync(join(import.meta.dirname, '../docs', file), page())
}
