/** Targets: what wheels are made for, written as the tail of their tag triple. */

export interface Target {
  /** `cp313-musllinux_1_2_x86_64` */
  name: string
  /** The Python tag: `cp313`. */
  python: string
  /** Of the Python: 3 and 13. */
  major: number
  minor: number
  /** The musl level of PEP 656. */
  musl: { major: number; minor: number }
  /** As in platform tags: `x86_64`, `aarch64`. */
  cpu: string
}

/** The target of this name, or undefined where it is none: CPython on musl is all there is. */
export function parseTarget(text: string): Target | undefined {
  const parts = /^(cp([1-9])(0|[1-9][0-9]?))-musllinux_([1-9][0-9]?)_(0|[1-9][0-9]?)_([a-z][a-z0-9_]{1,31})$/.exec(text)
  if (!parts) return undefined
  const [name, python, major, minor, muslMajor, muslMinor, cpu] = parts as unknown as [string, string, string, string, string, string, string]
  return { name, python, major: Number(major), minor: Number(minor), musl: { major: Number(muslMajor), minor: Number(muslMinor) }, cpu }
}
