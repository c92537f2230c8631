import { describe, expect, test } from 'vitest'
import { patchRefusal, variableRefusal } from '../../src/domain/recipe-checks.ts'

const diff = (old: string, anew: string) => `--- ${old}\n+++ ${anew}\n@@ -1,2 +1,2 @@\n-one\n+two\n three\n`

describe('variables', () => {
  test.each(['CFLAGS', 'LDFLAGS', 'GRPC_PYTHON_BUILD_SYSTEM_ZLIB', 'MAX_JOBS', 'CARGO_BUILD_RUSTFLAGS', 'USE_SDL2', 'PYMUPDF_SETUP_MUPDF_BUILD', 'LDAP_HOME'])('%s may be set', (name) => {
    expect(variableRefusal(name)).toBeUndefined()
  })
  test.each(['PATH', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'PYTHONPATH', 'PYTHON_GIL', 'PIP_INDEX_URL', 'HOME', 'BASH_ENV', 'BASHOPTS', 'ENV', 'SOURCE_DATE_EPOCH', 'GIT_SSH_COMMAND', 'CARGO_HOME'])('%s is the sandbox\'s', (name) => {
    expect(variableRefusal(name)).toMatch(/belongs to the sandbox; refused are .*LD_/)
  })
  test.each(['', '1A', 'A B', 'A=B', 'A\nB', 'a-b', 'A'.repeat(101)])('%j is none', (name) => {
    expect(variableRefusal(name)).toMatch(/is no name/)
  })
})

describe('patches', () => {
  test.each([
    ['of a file', diff('a/setup.py', 'b/setup.py')],
    ['with times and prose', `Mend it.\n\ndiff --git a/x.c b/x.c\nindex 1..2 100644\n${diff('a/x.c\t2024-01-01', 'b/x.c\t2024-01-01')}`],
    ['that makes a file', diff('/dev/null', 'b/src/new.h')],
    ['whose content looks like a header', '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- ../../etc/passwd\n+++ ../../etc/passwd\n \n'],
  ])('%s may be applied', (_, text) => {
    expect(patchRefusal(text)).toBeUndefined()
  })
  test.each([
    ['no diff', 'rm -rf /', /is no unified diff/],
    ['no file', '@@ -1 +1 @@\n-a\n+b\n', /names no file/],
    ['a way out', diff('a/../../x', 'b/../../x'), /names a\/\.\.\/\.\.\/x/],
    ['an absolute path', diff('/etc/passwd', '/etc/passwd'), /names \/etc\/passwd/],
    ['no prefix', diff('setup.py', 'setup.py'), /a\/ and b\//],
    ['a way out in the second file', diff('a/x', 'b/x') + diff('a/x', 'b//etc/x'), /names b\/\/etc\/x/],
    ['a rename', `diff --git a/x b/y\nrename from x\nrename to ../y\n${diff('a/x', 'b/x')}`, /rename from x/],
    ['a link', `diff --git a/x b/x\nnew file mode 120000\n${diff('/dev/null', 'b/x')}`, /new file mode 120000/],
    ['an Index line', `Index: ../x\n${diff('a/x', 'b/x')}`, /Index:/],
    ['a quoted path', diff('"a/\\056./x"', '"b/\\056./x"'), /names "a/],
  ])('%s is refused', (_, text, why) => {
    expect(patchRefusal(text)).toMatch(why)
  })
})
