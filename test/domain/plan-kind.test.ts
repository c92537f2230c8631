import { expect, test } from 'vitest'
import { planBuild } from '../../src/domain/plan.ts'
import { sdistOf, type Given } from './sdist-of.ts'

const backend = (name: string, rest = '') => ({ pyproject: `[build-system]\nrequires = []\nbuild-backend = "${name}"\n${rest}` })

test.each<[string, Given, string]>([
  ['no sources', { setupPy: 'setup(ext_modules=[])' }, 'pure'],
  ['a stray source', { setupPy: 'setup()', sources: ['.c'] }, 'unknown'],
  ['an extension in setup.py', { setupPy: 'Extension ("a", ["a.c"])', sources: ['.c'] }, 'native'],
  ['an extension of pybind11', { setupPy: 'ext = [Pybind11Extension("a", ["a.cpp"])]', sources: ['.cpp'] }, 'native'],
  ['an extension in pyproject.toml', { ...backend('setuptools.build_meta', '[tool.setuptools]\next-modules = []'), sources: ['.c'] }, 'native'],
  ['no extensions, said in words', { setupPy: 'setup(ext_modules=[], x=1)', sources: ['.c'] }, 'unknown'],
  ['an extension that is switched off by a comment', { setupPy: 'setup()\n# ext_modules=cythonize("a.pyx")', sources: ['.pyx'] }, 'unknown'],
  ['cffi without any source: its C stands in Python', { setupPy: 'setup(cffi_modules=["build.py:ffi"])' }, 'native'],
  ['mypyc, which compiles Python, if it is asked to', { setupPy: 'ext_modules = mypycify(["a.py"])' }, 'unknown'],
  ['mypyc beside sources of C', { setupPy: 'ext_modules = mypycify(["a.py"])', sources: ['.c'] }, 'unknown'],
  ['scikit-build of old', { setupPy: 'from skbuild import setup\nsetup()', sources: ['.cpp'] }, 'native'],
  ['numpy.distutils', { setupPy: 'config.add_extension("a", ["a.f90"])', sources: ['.f90'] }, 'native'],
  ['an in-tree backend', { pyproject: '[build-system]\nrequires = []\nbuild-backend = "mine"\nbackend-path = ["."]', sources: ['.pyx'] }, 'unknown'],

  ['scikit-build-core', { ...backend('scikit_build_core.build'), sources: ['.cpp'] }, 'native'],
  ['scikit-build-core that compiles nothing', { ...backend('scikit_build_core.build', '[tool.scikit-build.wheel]\ncmake = false'), sources: ['.cpp'] }, 'pure'],
  ['scikit-build-core that installs headers alone', { ...backend('scikit_build_core.build', '[tool.scikit-build]\nwheel.platlib = false'), sources: ['.cpp'] }, 'pure'],
  ['maturin', { ...backend('maturin'), sources: ['.rs'], texts: { 'Cargo.lock': '' } }, 'native'],
  ['sip', { ...backend('sipbuild.api'), sources: ['.cpp'] }, 'native'],
  ['meson', { ...backend('mesonpy'), sources: ['.c'] }, 'unknown'],
  ['meson with an extension', { ...backend('mesonpy'), sources: ['.c'], texts: { 'src/demo/meson.build': 'py.extension_module(\'a\', \'a.c\')' } }, 'native'],
  ['meson with nothing to compile', { ...backend('mesonpy'), mesonBuild: 'py.install_sources([\'a.py\'])' }, 'pure'],
  ['meson that installs a program', { ...backend('mesonpy'), mesonBuild: 'executable(\'a\', \'a.x\', install: true)' }, 'unknown'],

  ['flit, which cannot compile', { ...backend('flit_core.buildapi'), sources: ['.c'] }, 'pure'],
  ['uv, which cannot compile', { ...backend('uv_build'), sources: ['.c'] }, 'pure'],
  ['hatchling without hooks, which cannot', { ...backend('hatchling.build'), sources: ['.c'] }, 'pure'],
  ['hatchling with a hook that compiles', { ...backend('hatchling.build', '[tool.hatch.build.targets.wheel.hooks.cython]\ndependencies = []'), sources: ['.pyx'] }, 'native'],
  ['hatchling with one that is off', { ...backend('hatchling.build', '[tool.hatch.build.hooks.mypyc]\nenable-by-default = false'), sources: ['.c'] }, 'pure'],
  ['hatchling with a script for one platform', { ...backend('hatchling.build', '[tool.hatch.build.hooks.custom]'), sources: ['.c'], texts: { 'hatch_build.py': 'build_data["pure_python"] = False' } }, 'native'],
  ['hatchling with another script', { ...backend('hatchling.build', '[tool.hatch.build.hooks.custom]\npath = "x.py"'), sources: ['.c'], texts: { 'x.py': 'write_version()' } }, 'unknown'],
  ['hatchling with a hook for the version', { ...backend('hatchling.build', '[tool.hatch.build.hooks.vcs]\nversion-file = "x"') }, 'pure'],
  ['poetry', { ...backend('poetry.core.masonry.api'), sources: ['.c'] }, 'pure'],
  ['poetry with a build script', { ...backend('poetry.core.masonry.api', '[tool.poetry]\nbuild = "build.py"'), sources: ['.c'], texts: { 'build.py': 'Extension("a", ["a.c"])' } }, 'native'],
  ['poetry with a build script as a table', { ...backend('poetry.core.masonry.api', '[tool.poetry.build]\nscript = "b.py"'), sources: ['.pyx'], texts: { 'b.py': 'cythonize("a.pyx")' } }, 'native'],
  ['pdm', { ...backend('pdm.backend'), sources: ['.c'] }, 'pure'],
  ['pdm with setuptools', { ...backend('pdm.backend', '[tool.pdm.build]\nrun-setuptools = true'), sources: ['.pyx'], texts: { 'setup.py': 'ext_modules = cythonize("a.pyx")' } }, 'native'],
  ['pdm with its own hook', { ...backend('pdm.backend'), sources: ['.c'], texts: { 'pdm_build.py': 'def pdm_build_update_setup_kwargs(): ext_modules=[Extension("a", [])]' } }, 'native'],
  ['pdm with a hook for something else', { ...backend('pdm.backend'), sources: ['.c'], texts: { 'pdm_build.py': 'def pdm_build_initialize(): ...' } }, 'unknown'],
])('%s: %o', (_, contents, expected) => {
  expect(planBuild(sdistOf(contents))).toMatchObject({ plan: { expected } })
})
