import { expect, test } from 'vitest'
import { modulesOf } from '../../src/domain/modules.ts'

const all = () => true

test.each<[string, string[], { top: string[]; extensions: string[] }]>([
  ['a module and a package', ['six.py', 'lib/__init__.py', 'lib/x.py', 'lib/deep/__init__.py'], { top: ['lib', 'six'], extensions: [] }],
  ['extensions of every suffix', ['a.cpython-313-x86_64-linux-musl.so', 'b.abi3.so', 'c.so', 'p/__init__.py', 'p/_c.cpython-313-x86_64-linux-musl.so'],
    { top: ['a', 'b', 'c', 'p'], extensions: ['p._c'] }],
  ['a package that is an extension', ['p/__init__.cpython-313-x86_64-linux-musl.so', 'p/q.py'], { top: ['p'], extensions: [] }],
  ['a namespace', ['google/protobuf/__init__.py', 'google/_upb/_message.abi3.so'], { top: ['google.protobuf'], extensions: ['google._upb._message'] }],
  ['bundled libraries, data and metadata', ['x-1.0.dist-info/METADATA', 'x.libs/libfoo.so', 'x-1.0.data/scripts/run.py', 'x-1.0.data/platlib/x.py', 'share/templates/t.py', 'no-name/a.py'],
    { top: ['x'], extensions: [] }],
  ['what runs when imported', ['setup.py', '__main__.py', 'p/__init__.py', 'p/__main__.py'], { top: ['p'], extensions: [] }],
])('%s', (_, names, expected) => {
  expect(modulesOf(names, all)).toEqual(expected)
})

test('a library without an init function is no module', () => {
  expect(modulesOf(['p/__init__.py', 'p/helper.so', 'p/_c.so'], (name, module) => name === 'p/_c.so' && module === '_c')).toEqual({ top: ['p'], extensions: ['p._c'] })
})
