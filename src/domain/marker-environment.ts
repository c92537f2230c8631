import type { Target } from './target.ts'

/** What markers ask about (PEP 508 "Environment Markers"), without extras and groups. */
export interface MarkerEnvironment {
  python_version: string
  python_full_version: string
  os_name: string
  sys_platform: string
  platform_release: string
  platform_system: string
  platform_version: string
  platform_machine: string
  platform_python_implementation: string
  implementation_name: string
  implementation_version: string
}

/**
 * The environment of a target's clients. Only the minor of their Python is known: the newest patch there could be stands for all, as
 * for Requires-Python. The kernel is the client's own and told by nobody: a long-kept one stands for it.
 */
export function markerEnvironment(target: Target): MarkerEnvironment {
  const minor = `${target.major}.${target.minor}`
  return {
    python_version: minor,
    python_full_version: `${minor}.99`,
    os_name: 'posix',
    sys_platform: 'linux',
    platform_release: '6.12.0',
    platform_system: 'Linux',
    platform_version: '#1 SMP',
    platform_machine: target.cpu,
    platform_python_implementation: 'CPython',
    implementation_name: 'cpython',
    implementation_version: `${minor}.99`,
  }
}
