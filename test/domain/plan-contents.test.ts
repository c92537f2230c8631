import { describe, expect, test } from 'vitest'
import { buildText, sourceEnding, wanted } from '../../src/domain/plan-contents.ts'

test.each([
  ['PKG-INFO', true], ['vendor/PKG-INFO', false], ['src/demo.egg-info/PKG-INFO', true], ['setup.py', true], ['build_ext.py', true], ['src/setup.py', false],
  ['meson.build', true], ['src/a/meson.build', true], ['vendor/meson/test cases/1/meson.build', false], ['rust/Cargo.lock', true], ['tests/rust/Cargo.lock', false],
  ['.cargo/config.toml', true], ['config.toml', false], ['src/a.pyx', true], ['src/a.c', false], ['cmakelists.txt', false],
])('the text of %s is wanted: %s', (path, expected) => expect(wanted(path) > 0).toBe(expected))

test.each([
  ['src/a.c', '.c'], ['src/a.CPP', '.cpp'], ['a.c++', '.c++'], ['src/a.h', undefined], ['src/tests/a.c', undefined], ['tests.c', '.c'], ['testing/a.f90', undefined], ['Makefile', undefined],
])('%s counts as %s', (path, expected) => expect(sourceEnding(path)).toBe(expected))

describe('the build files of a project', () => {
  const text = (files: Record<string, string>, name: 'meson.build' | 'CMakeLists.txt' = 'meson.build') => buildText({ texts: new Map(Object.entries(files)) }, name)

  test('are its own, not those of projects within it', () => {
    expect(text({ 'meson.build': 'project(\'a\')', 'src/meson.build': 'one', 'subprojects/b/meson.build': 'project (\'b\')', 'subprojects/b/src/meson.build': 'two', 'setup.py': 'x' })).toBe('project(\'a\')\none')
  })

  test('may begin below the top', () => {
    expect(text({ 'python/CMakeLists.txt': 'project(a)', 'python/src/CMakeLists.txt': 'one', 'python/vendor/CMakeLists.txt': 'PROJECT(b)' }, 'CMakeLists.txt')).toBe('project(a)\none')
  })

  test('are read without their comments, and may be none', () => {
    expect(text({ 'meson.build': 'a # project(\'x\')\n# b' })).toBe('a \n')
    expect(text({})).toBe('')
  })
})
