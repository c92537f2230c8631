import { expect, test } from 'vitest'
import { patchedTexts } from '../../src/domain/patched.ts'
import { planBuild } from '../../src/domain/plan.ts'
import { sdistOf } from './sdist-of.ts'

const patched = (texts: Record<string, string>, ...patches: string[]) => Object.fromEntries(patchedTexts(new Map(Object.entries(texts)), patches.map((text) => ({ text }))))
const added = (name: string, ...lines: string[]) => `--- /dev/null\n+++ b/${name}\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}\n`).join('')}`

test('files are changed, added and removed, hunks away from their lines too', () => {
  const texts = { 'setup.py': 'one\ntwo\nthree\nfour\nfive\n', 'setup.cfg': 'x\n', 'PKG-INFO': 'y\n' }
  const diff = `About this.
--- a/setup.py\t2024-01-01
+++ b/setup.py
@@ -1,2 +1,3 @@ some function
 one
+one and a half
 two
@@ -14,2 +15,2 @@
 four
-five
+5
\\ No newline at end of file
--- a/setup.cfg
+++ /dev/null
@@ -1 +0,0 @@
-x
`
  expect(patched(texts, diff, added('rust/Cargo.lock', 'version = 3'))).toEqual({
    'setup.py': 'one\none and a half\ntwo\nthree\nfour\n5', 'PKG-INFO': 'y\n', 'rust/Cargo.lock': 'version = 3\n',
  })
  expect(patched({ 'setup.py': 'a\nb\nc\n' }, '--- a/setup.py\n+++ b/setup.py\n@@ -2,0 +3 @@\n+bb\n', '--- a/setup.py\n+++ b/setup.py\n@@ -3 +3 @@\n-bb\n+B\n')).toEqual({ 'setup.py': 'a\nb\nB\nc\n' })
})

test('what a patch does not fit stays as it is, and what no plan reads stays away', () => {
  const texts = { 'setup.py': 'one\n' }
  for (const diff of ['--- a/setup.py\n+++ b/setup.py\n@@ -1 +1 @@\n-six\n+6\n', '--- a/src/x.c\n+++ b/src/x.c\n@@ -1 +1 @@\n-six\n+6\n', added('src/x.c', 'int x;'), 'no patch', '--- a/setup.py\n+++ b/setup.py\n@@ -1,9 +1 @@\n one\n']) {
    expect(patched(texts, diff)).toEqual(texts)
  }
})

test('an sdist is planned as it is built', () => {
  const patches = (...texts: string[]) => ({ patches: texts.map((text, index) => ({ name: `${index}.patch`, text })) })
  const bare = sdistOf({})
  expect(planBuild(bare)).toHaveProperty('failure')
  expect(planBuild(bare, undefined, patches(added('setup.py', 'setup()')))).toMatchObject({ plan: { backend: 'setuptools.build_meta:__legacy__' } })
  expect(planBuild(bare, undefined, patches(added('pyproject.toml', '[build-system]', 'requires = ["flit_core"]', 'build-backend = "flit_core.buildapi"')))).toMatchObject({ plan: { backend: 'flit_core.buildapi', requires: ['flit_core'] } })
  const rust = sdistOf({ sources: ['.rs'], pyproject: '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n', texts: { 'Cargo.toml': '' } })
  expect(planBuild(rust)).toMatchObject({ failure: { class: 'bad-sdist' } })
  expect(planBuild(rust, undefined, patches(added('Cargo.lock', 'version = 3')))).toMatchObject({ plan: { cargoLock: [] } })
})

test('METADATA of a patched sdist is what its build says', () => {
  const contents = sdistOf({ setupPy: 'setup()', pkgInfo: 'Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n' })
  expect(planBuild(contents)).toMatchObject({ plan: { metadata: expect.stringContaining('Name: demo') as string } })
  expect(planBuild(contents, undefined, { patches: [{ name: 'a.patch', text: added('setup.cfg', 'x') }] })).toMatchObject({ plan: { metadata: undefined } })
})
