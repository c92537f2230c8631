/** Names that lead somewhere else on each machine. */

/** What a container calls the machine that runs it, by Docker's name and by Podman's own. */
export const DOCKER_HOST = 'host.docker.internal'
export const PODMAN_HOST = 'host.containers.internal'

/** Whether what listens on this host, or address, is reached from its own machine alone. IPv6 with or without brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || /^127(?:\.\d+){3}$/.test(host) || host === '::1' || host === '[::1]'
}

/** Whether a URL's host means the machine that looks for it: a container would look inside itself. */
export function isThisMachine(hostname: string): boolean {
  return isLoopback(hostname) || hostname === DOCKER_HOST || hostname === PODMAN_HOST || hostname === '0.0.0.0' || hostname === '[::]'
}
