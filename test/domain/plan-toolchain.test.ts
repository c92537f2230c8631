import { expect, test } from 'vitest'
import { planBuild } from '../../src/domain/plan.ts'
import { APK_NAME } from '../../src/domain/missing.ts'
import { sdistOf, type Given } from './sdist-of.ts'

const meson = (text: string): Given => ({ pyproject: '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"', mesonBuild: text })
const cmake = (text: string): Given => ({ pyproject: '[build-system]\nrequires = ["scikit-build-core"]\nbuild-backend = "scikit_build_core.build"', cmakeLists: text })

test.each<[string, Given, string[]]>([
  ['C and C++ alone', { setupPy: 'Extension("a", ["a.cpp"])', sources: ['.c', '.cpp'] }, []],
  ['Fortran', meson('project(\'demo\', \'c\', \'fortran\')'), ['gfortran']],
  ['Rust', { pyproject: '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"', sources: ['.rs'], texts: { 'Cargo.toml': '', 'Cargo.lock': '' } }, ['cargo']],
  ['meson-python and scikit-build-core, which ask for wheels of what they start', cmake('project(demo)'), []],
  ['cmake by a setup.py', { setupPy: 'subprocess.check_call(["cmake", ".."])', sources: ['.cpp'] }, ['cmake']],
  ['cmake by a setup.py that requires it', { setupPy: 'subprocess.check_call(["cmake", ".."])', pyproject: '[build-system]\nrequires = ["setuptools", "cmake>=3"]' }, []],
  ['cmake that is only a word', { setupPy: 'setup(keywords=["cmake"])' }, []],
  ['scikit-build', { setupPy: 'from skbuild import setup' }, ['cmake', 'samurai']],
  ['scikit-build that requires both', { setupPy: 'from skbuild import setup', pyproject: '[build-system]\nrequires = ["scikit-build", "CMake", "ninja;platform_system!=\'Windows\'"]' }, []],
  ['scikit-build under a backend in the tree, which asks for both', { setupPy: 'from skbuild import setup', pyproject: '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "mine"\nbackend-path = ["."]' }, []],
  ['Fortran for numpy.distutils', { setupPy: 'from numpy.distutils.core import setup', sources: ['.f', '.f90', ...Array<string>(20).fill('.f')] }, ['gfortran']],
  ['Fortran that only a test of f2py has', { setupPy: 'from numpy.distutils.core import setup', sources: ['.f'] }, []],
  ['swig for distutils', { setupPy: 'Extension("_a", ["a.i"])', sources: ['.i'] }, ['swig']],
  ['swig by a wheel', { setupPy: 'Extension("_a", ["a.i"])', sources: ['.i'], pyproject: '[build-system]\nrequires = ["setuptools", "swig"]' }, []],
  ['programs that meson finds', meson('bison = find_program(\'bison\')\nfind_program(\'flex\', required: false)\nfind_program(\'generate.py\')\n# find_program(\'perl\')'), ['bison']],
  ['packages that CMake requires', cmake('find_package(BISON 3.0 REQUIRED)\nfind_package(FLEX)\nfind_package(ZLIB REQUIRED)\nenable_language(ASM_NASM)'), ['bison', 'nasm']],
  ['configure that must be made first', { setupPy: 'run("./configure")', scripts: ['vendor/lib/configure.ac'] }, ['autoconf', 'automake', 'libtool']],
  ['configure that is there', { setupPy: 'run("./configure")', scripts: ['vendor/lib/configure.ac', 'vendor/lib/configure'] }, []],
  ['configure that nothing runs', { setupPy: 'setup()', scripts: ['vendor/lib/configure.ac'] }, []],
])('%s', (_, given, apks) => {
  const planned = planBuild(sdistOf(given))
  expect(planned).toMatchObject({ plan: { toolchain: apks } })
  for (const apk of apks) expect(apk).toMatch(APK_NAME)
})
