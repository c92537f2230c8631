import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useLines } from '../../src/ui/use-lines.ts'
import { examples, parseExamples } from '../e2e/dockerfiles.ts'

const page = await examples()
const dockerfile = (name: string) => page.find((example) => example.name === name)?.dockerfile

test('each Dockerfile of docs/docker.md has a name and a command, which the scenario images builds it by', () => {
  expect(page.length).toBeGreaterThan(10)
  for (const { name, dockerfile, command } of page) {
    expect(dockerfile, name).toMatch(/^FROM /m)
    expect(command, name).toMatch(/^docker build .*\.$/)
  }
})

test.each([
  ['has no name of its own', '```dockerfile\nFROM x\n```\n```sh\ndocker build .\n```\n'],
  ['has no name of its own', '```dockerfile a\nFROM x\n```\n```dockerfile a\nFROM y\n```\n```sh\ndocker build .\n```\n'],
  ['no command stands below', '```sh\ndocker build .\n```\n```dockerfile a\nFROM x\n```\n'],
])('it is refused where a Dockerfile %s', (why, text) => {
  expect(() => parseExamples(text)).toThrow(why)
})

test('the page "Use it" and the README show the same Dockerfiles', () => {
  const blocks = useLines('http://muslin.example:8080').find(({ id }) => id === 'dockerfile')?.blocks ?? []
  const text = (label: string) => `${blocks.find((block) => block.label === label)?.text}\n`
  expect(text('With pip')).toBe(dockerfile('pip'))
  expect(text('With uv')).toBe(dockerfile('uv'))
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  expect(readme).toContain(`\`\`\`dockerfile\n${dockerfile('pip-complete')}\`\`\`\n`)
})

test('nothing that is to be set nowhere is set', () => {
  for (const { name, dockerfile } of page) expect(dockerfile, name).not.toMatch(/ENV (?!PATH=)|TIMEOUT|RETRIES|NO_BINARY|EXTRA_INDEX|apk add|gcc/)
})
