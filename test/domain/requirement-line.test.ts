import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requirementLine, requirementName } from '../../src/domain/requirement-line.ts'

test.each([
  ['setuptools', 'setuptools'],
  [' setuptools >= 61 , < 82 ', 'setuptools >= 61 , < 82'],
  ['setuptools_scm[toml]>=6.2', 'setuptools_scm[toml]>=6.2'],
  ['foo (>=1.0)', 'foo (>=1.0)'],
  ['a-b.c ~=1.0.*,!=1.2+local-3', 'a-b.c ~=1.0.*,!=1.2+local-3'],
  ['numpy==1.19.3; python_version < "3.7" and implementation_name != \'pypy\'', 'numpy==1.19.3; python_version < "3.7" and implementation_name != \'pypy\''],
  ['numpy;\n  python_version == "3.6"', 'numpy; python_version == "3.6"'],
])('%j is a requirement', (text, line) => {
  expect(requirementLine(text)).toBe(line)
})

test.each([
  '', '-r other.txt', '--index-url=x', '-e .', '.', './x', '/etc/passwd', 'foo @ file:///etc/passwd', 'foo@https://evil.example/x.tar.gz',
  'https://evil.example/x.tar.gz', 'git+https://evil.example/x', 'foo --hash=sha256:0', 'foo; python_version > "3" --global-option=x', 'foo ; a -x',
  'foo==${HOME}', 'foo # comment', 'foo\\', 'foo\u0000', 'foo.whl/x', `foo${'0'.repeat(3000)}`, 'foo[../x]',
])('%j is refused', (text) => {
  expect(requirementLine(text)).toBeUndefined()
})

test('a line is always one line that begins with a name and holds no option', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '-', ' ', '\n', '=', '[', ']', ';', '@', '>', '1', '.', ',', '(', ')') })), (text) => {
    const line = requirementLine(text)
    if (line !== undefined) expect(line).toMatch(/^[A-Za-z0-9][^\r\n@#$\\]*$/)
    if (line !== undefined) expect(line.split(' ').some((word) => word.startsWith('-'))).toBe(false)
  }))
})

test('names what a requirement is for', () => {
  expect(requirementName(' Foo_bar[x] @ file:///x')).toBe('Foo_bar')
  expect(requirementName('-r x')).toBe('-r x')
})
