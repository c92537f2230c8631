/** Wheel tags: which wheels fit a target, and how ours are named. */
import type { WheelFilename } from './filename.ts'
import { normalizeName } from './names.ts'
import type { Target } from './target.ts'
import { canonicalVersion } from './version.ts'

/**
 * Whether pip on the target could install the wheel: some combination of its tags is one of those that a musl CPython
 * takes (PEP 425, PEP 656). `linux_*` counts, since pip takes it too.
 */
export function wheelFits(wheel: Pick<WheelFilename, 'pythons' | 'abis' | 'platforms'>, target: Target): boolean {
  const specific = wheel.platforms.some((platform) => platformFits(platform, target))
  const any = wheel.platforms.includes('any')
  return wheel.pythons.some((python) => wheel.abis.some((abi) => {
    const universal = abi === 'none' && (python === target.python || fitsPy(python, target))
    return (any && universal) || (specific && (universal || fitsNative(python, abi, target)))
  }))
}

/**
 * The file name of a wheel that we built: `PyYAML` gives `pyyaml-6.0-1-cp313-cp313-musllinux_1_2_x86_64.whl`. The build number
 * keeps it from ever meaning the same file as one that the upstream may publish later (PEP 427 "Escaping and Unicode" for the rest).
 */
export function builtFilename(project: string, version: string, number: number, target: Target): string {
  const name = normalizeName(project).replaceAll('-', '_')
  const tags = `${target.python}-${abiOf(target)}-${target.name.slice(target.python.length + 1)}`
  return `${name}-${canonicalVersion(version).replaceAll('-', '_')}-${number}-${tags}.whl`
}

function platformFits(platform: string, target: Target): boolean {
  if (platform === `linux_${target.cpu}`) return true
  const [, major, minor, cpu] = /^musllinux_([0-9]+)_([0-9]+)_(.+)$/.exec(platform) ?? []
  return cpu === target.cpu && Number(major) === target.musl.major && Number(minor) <= target.musl.minor
}

/** `py3`, and `py313` down to `py30`. */
function fitsPy(python: string, target: Target): boolean {
  const [, major, minor] = /^py([0-9])([0-9]*)$/.exec(python) ?? []
  return Number(major) === target.major && (minor === '' || Number(minor) <= target.minor)
}

/** The stable ABI began with 3.2 and holds for every later minor (PEP 384). */
function fitsNative(python: string, abi: string, target: Target): boolean {
  if (python === target.python && abi === abiOf(target)) return true
  const [, major, minor] = /^cp([0-9])([0-9]+)$/.exec(python) ?? []
  return abi === 'abi3' && Number(major) === target.major && Number(minor) >= 2 && Number(minor) <= target.minor
}

/** Before 3.8 the ABI tag of a normal CPython ended in "m". */
export function abiOf(target: Target): string {
  return target.major === 3 && target.minor < 8 ? `${target.python}m` : target.python
}
