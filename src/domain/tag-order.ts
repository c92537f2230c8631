/** Which of the wheels that fit is preferred: the order of tags in which pip on a musl CPython looks for them. */
import type { WheelFilename } from './filename.ts'
import { abiOf } from './tags.ts'
import type { Target } from './target.ts'

const orders = new Map<string, Map<string, number>>()
/** Targets are few; their names come from requests. */
const MOST_ORDERS = 100

/**
 * The place of the wheel's best tag in the order of `packaging.tags.sys_tags()`, 0 for the best; undefined where none fits. The `linux_*` tags
 * come after musllinux here, as up to packaging 26.2 and in uv; no wheel with one is on PyPI.
 */
export function wheelRank(wheel: Pick<WheelFilename, 'pythons' | 'abis' | 'platforms'>, target: Target): number | undefined {
  const order = orderOf(target)
  let best: number | undefined
  for (const python of wheel.pythons) for (const abi of wheel.abis) for (const platform of wheel.platforms) {
    const rank = order.get(`${python}-${abi}-${platform}`)
    if (rank !== undefined && (best === undefined || rank < best)) best = rank
  }
  return best
}

function orderOf(target: Target): Map<string, number> {
  const known = orders.get(target.name)
  if (known) return known
  if (orders.size >= MOST_ORDERS) orders.clear()
  const order = new Map(supportedTags(target).map((tag, rank) => [tag, rank]))
  orders.set(target.name, order)
  return order
}

/** All tags that the target's CPython takes, best first: PEP 425 "Compatibility Tags" as `packaging` orders them, PEP 656 for the platforms. */
export function supportedTags(target: Target): string[] {
  const { python, major, minor } = target
  const platforms = [...downTo(target.musl.minor, 0).map((level) => `musllinux_${target.musl.major}_${level}_${target.cpu}`), `linux_${target.cpu}`]
  const on = (tags: string[]) => tags.flatMap((tag) => platforms.map((platform) => `${tag}-${platform}`))
  const universal = [`py${major}${minor}`, `py${major}`, ...downTo(minor - 1, 0).map((older) => `py${major}${older}`)].map((tag) => `${tag}-none`)
  return [
    ...on([`${python}-${abiOf(target)}`, `${python}-abi3`, `${python}-none`]),
    // The stable ABI began with 3.2 (PEP 384).
    ...on(downTo(minor - 1, 2).map((older) => `cp${major}${older}-abi3`)),
    ...on(universal),
    `${python}-none-any`,
    ...universal.map((tag) => `${tag}-any`),
  ]
}

function downTo(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, i) => from - i)
}
