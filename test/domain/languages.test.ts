import { expect, test } from 'vitest'
import { languagesOf } from '../../src/domain/languages.ts'
import { sdistOf, type Given } from './sdist-of.ts'

const SETUPTOOLS = { backend: 'setuptools.build_meta', requires: ['setuptools'] }

test.each<[string, Given, { backend?: string; requires?: string[] }, string[]]>([
  ['C', { sources: ['.c'] }, {}, ['c']],
  ['Cython', { sources: ['.c', '.pyx'] }, {}, ['c', 'cython']],
  ['C++ by its files', { sources: ['.c', '.cpp'] }, {}, ['c', 'c++']],
  ['C++ that Cython makes', { sources: ['.pyx'], setupPy: 'Extension("a", ["a.pyx"], language="c++")' }, {}, ['c', 'c++', 'cython']],
  ['C++ that Cython makes, by a directive', { sources: ['.pyx'], texts: { 'src/a.pyx': '# distutils: language = c++\n' } }, {}, ['c', 'c++', 'cython']],
  ['C++ that Cython makes, by a comment', { sources: ['.pyx'], setupCfg: 'language = c++' }, {}, ['c', 'c++', 'cython']],
  ['C++ by meson', { sources: ['.pyx'], mesonBuild: 'project(\n  \'demo\',\n  \'c\', \'cpp\', \'cython\',\n  version: \'1\')' }, {}, ['c', 'c++', 'cython']],
  ['C++ by a cmake project that names nothing', { cmakeLists: 'cmake_minimum_required(VERSION 3.15)\nproject(demo VERSION 1.0)' }, {}, ['c', 'c++']],
  ['C alone by cmake', { cmakeLists: 'project(demo LANGUAGES C)' }, {}, ['c']],
  ['Rust by maturin', { sources: ['.rs'] }, { backend: 'maturin' }, ['c', 'rust']],
  ['Rust by setuptools-rust', { sources: ['.rs'] }, { requires: ['setuptools', 'setuptools-rust>=1.7'] }, ['c', 'rust']],
  ['Rust that is only an example', { sources: ['.c', '.rs'] }, {}, ['c']],
  ['Fortran by meson', { sources: ['.f'], mesonBuild: 'project(\'scipy\', \'c\', \'cpp\', \'cython\')\nadd_languages(\'fortran\', native: false)' }, {}, ['c', 'c++', 'cython', 'fortran']],
  ['Fortran by cmake', { cmakeLists: 'project(demo C)\nenable_language(Fortran)' }, {}, ['c', 'fortran']],
  ['Fortran that only tests use', { sources: ['.c', '.f90'], mesonBuild: 'project(\'numpy\', \'c\')\n# add_languages(\'fortran\')' }, {}, ['c']],
  ['Go', { sources: ['.go'] }, { requires: ['setuptools', 'setuptools-golang'] }, ['c', 'go']],
])('%s', (_, contents, system, languages) => {
  expect(languagesOf(sdistOf(contents), { ...SETUPTOOLS, ...system })).toEqual(languages)
})
