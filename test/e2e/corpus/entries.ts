/** The corpus: real releases, what each stands for and what must come of it. `test/e2e/corpus.toml` holds them. */
import { parse } from 'smol-toml'
import { z } from 'zod'
import { FAILURE_CLASSES, type FailureClass } from '../../../src/domain/failure.ts'

const BACKENDS = [
  'setuptools', 'setuptools-old', 'meson-python', 'scikit-build-core', 'hatchling', 'flit', 'poetry-core', 'pdm-backend', 'in-tree', 'maturin', 'setuptools-rust',
] as const
const TRAITS = ['c', 'c++', 'cython', 'cython-c++', 'cffi', 'pybind11', 'nanobind', 'numpy-extension', 'fortran', 'rust', 'setuptools-scm', 'abi3', 'pure'] as const

const Release = z.strictObject({
  pin: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*==[0-9][a-z0-9.]*$/, 'a pin is a normalized name==version'),
  target: z.enum(['cp313', 'cp311']).default('cp313'),
  expect: z.enum(['built', 'pure', ...Object.keys(FAILURE_CLASSES) as FailureClass[]]),
  /** Of a failure: the thing that is missing, as the failure names it. */
  key: z.string().optional(),
  /** Of a failure: Alpine's names for it; each must be among those that the failure gives. */
  apks: z.array(z.string().regex(/^[a-z0-9][a-z0-9+._-]*$/)).optional(),
  backend: z.enum(BACKENDS),
  traits: z.array(z.enum(TRAITS)),
  /** When the sdist was uploaded; a run compares it with the upstream's page. */
  year: z.int().min(2005),
  /** What is imported after an install on a clean image. Default: the project's name, `-` as `_`. */
  module: z.string().optional(),
  /** Among the few that every change is tested with. */
  slice: z.literal(true).optional(),
  why: z.string().optional(),
})

export interface Entry extends z.infer<typeof Release> { project: string; version: string; module: string }

/** Parses the file's text. Throws where a line is wrong, or one release stands twice for one target. */
export function readCorpus(text: string): Entry[] {
  const { release } = z.strictObject({ release: z.array(Release) }).parse(parse(text))
  const seen = new Set<string>()
  return release.map((entry) => {
    const [project = '', version = ''] = entry.pin.split('==')
    if (seen.has(nameOf(entry))) throw new Error(`${nameOf(entry)} stands twice in the corpus`)
    seen.add(nameOf(entry))
    const failing = entry.expect !== 'built' && entry.expect !== 'pure'
    if (!failing && (entry.key !== undefined || entry.apks !== undefined)) throw new Error(`${entry.pin} is expected to succeed: it has no key and no apks`)
    return { ...entry, project, version, module: entry.module ?? project.replaceAll('-', '_') }
  })
}

/** Tells an entry from all others: `numpy==2.3.5 cp313`. */
export function nameOf({ pin, target }: Pick<Entry, 'pin' | 'target'>): string {
  return `${pin} ${target}`
}

/** Native as far as is known before it is built: those that fail for want of a header are. */
export function isNative({ traits }: Pick<Entry, 'traits'>): boolean {
  return !traits.includes('pure')
}

/** What the corpus as a whole lacks; nothing where it is as wide as it must be. */
export function shortcomings(entries: Entry[]): string[] {
  const natives = entries.filter(isNative)
  const built = natives.filter(({ expect }) => expect === 'built')
  const withTrait = (...wanted: Entry['traits']) => built.filter(({ traits }) => traits.some((trait) => wanted.includes(trait))).length
  const by = (...backends: Entry['backend'][]) => built.filter(({ backend }) => backends.includes(backend)).length
  const pureBackends = entries.filter(({ expect, backend }) => expect === 'pure' && ['hatchling', 'flit', 'poetry-core', 'pdm-backend'].includes(backend)).length
  const slice = entries.filter((entry) => entry.slice)
  const inNoSlice = [...new Set(entries.map(({ backend }) => backend))].filter((backend) => !slice.some((entry) => entry.backend === backend))
  const counts: [string, number, number][] = [
    ['releases', entries.length, 60], ['native ones', natives.length, 40], ['native ones that are built', built.length, 30],
    ['meson-python', by('meson-python'), 2], ['scikit-build-core', by('scikit-build-core'), 2],
    ['Cython C', withTrait('cython'), 2], ['Cython C++', withTrait('cython-c++'), 2], ['cffi', withTrait('cffi'), 2],
    ['pybind11 or nanobind', withTrait('pybind11', 'nanobind'), 2], ['numpy extensions', withTrait('numpy-extension'), 1],
    ['pure ones of other backends than setuptools', pureBackends, 2], ['setuptools-scm', withTrait('setuptools-scm'), 1],
    ['older than 2022', entries.filter(({ year }) => year < 2022).length, 10], ['numpy', built.filter(({ project }) => project === 'numpy').length, 1],
    ['for the second target', entries.filter(({ target }) => target === 'cp311').length, 2], ['in the slice', slice.length, 15],
  ]
  return [
    ...counts.filter(([, has, least]) => has < least).map(([what, has, least]) => `${what}: ${has}, at least ${least}`),
    ...slice.length > 15 ? [`in the slice: ${slice.length}, at most 15`] : [],
    ...inNoSlice.map((backend) => `no ${backend} in the slice`),
  ]
}
