/**
 * The root of the Muslin server that an index URL belongs to, with a slash at the end: `https://host/x/finished/simple/` is served by
 * `https://host/x/`. Credentials are left out: what stands in a lock is read by everybody. Undefined where the URL is no view of such a server.
 */
export function rootOfIndex(index: string): string | undefined {
  const url = URL.parse(index)
  const [, prefix] = /^(.*?\/)(?:(?:finished|target\/[^/]+|before\/[^/]+)\/)?simple\/?$/.exec(url?.pathname ?? '') ?? []
  if (!url || !/^https?:$/.test(url.protocol) || prefix === undefined) return undefined
  return `${url.origin}${prefix}`
}
