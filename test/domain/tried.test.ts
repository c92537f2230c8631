import { expect, test } from 'vitest'
import { triedFailure, type Tried } from '../../src/domain/tried.ts'

const tried = (rest: Partial<Tried>): Tried => ({ module: 'a', outcome: 'error', type: 'ImportError', name: null, message: '', ...rest })

test.each<[string, Tried]>([
  ['a crash', tried({ outcome: 'signal', message: 'SIGSEGV' })],
  ['a symbol that musl lacks', tried({ message: 'Error relocating /x/a.so: backtrace: symbol not found' })],
  ['a library that is absent', tried({ message: 'Error loading shared library libfoo.so.1: No such file or directory (needed by /x/a.so)' })],
  ['the same through ctypes', tried({ type: 'OSError', message: 'Error loading shared library libfoo.so: No such file' })],
  ['a module of its own that is absent', tried({ type: 'ModuleNotFoundError', name: 'a._c', message: "No module named 'a._c'" })],
  ['a name of its own that is absent', tried({ name: 'a.b', message: "cannot import name 'x' from 'a.b'" })],
])('the wheel is at fault: %s', (_, result) => {
  expect(triedFailure(result, ['a'])).toMatch(/^import a/)
})

test.each<[string, Tried]>([
  ['it works', tried({ outcome: 'ok' })],
  ['it takes too long', tried({ outcome: 'timeout' })],
  ['a module of another project', tried({ type: 'ModuleNotFoundError', name: 'numpy', message: "No module named 'numpy'" })],
  ['one whose name only begins alike', tried({ type: 'ModuleNotFoundError', name: 'ab' })],
  ['a name that another project lacks', tried({ name: 'markupsafe', message: "cannot import name 'soft_unicode' from 'markupsafe'" })],
  ['an advice', tried({ message: 'install a[extra] first' })],
  ['a file that is absent', tried({ type: 'OSError', message: "[Errno 2] No such file or directory: '/etc/a.conf'" })],
  ['settings', tried({ type: 'ImproperlyConfigured', message: 'settings are not configured' })],
])('only noted: %s', (_, result) => {
  expect(triedFailure(result, ['a'])).toBeUndefined()
})
