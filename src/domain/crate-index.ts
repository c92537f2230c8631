/** Sparse indexes of crates, as cargo reads them: a folder with a file for each name, and one that says where crates are downloaded. */

/** Cargo's own rule for names, and a bound that registries have. */
export const CRATE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/
/** Semver, as far as it matters to paths. */
export const CRATE_VERSION = /^\d{1,10}\.\d{1,10}\.\d{1,20}(?:-[0-9A-Za-z.-]{1,64})?(?:\+[0-9A-Za-z.-]{1,64})?$/

const SHA256 = /^[0-9a-f]{64}$/

/** Where the file of a name lies below the index: `1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcd`. */
export function indexPath(name: string): string {
  const lower = name.toLowerCase()
  return `${folderOf(lower)}/${lower}`
}

/** The sha256 of this version's crate by the lines of its index file, one JSON object each; undefined where they list none. */
export function checksumIn(lines: string, version: string): string | undefined {
  for (const line of lines.split('\n')) {
    const entry = parsed(line)
    if (entry?.['vers'] === version && typeof entry['cksum'] === 'string' && SHA256.test(entry['cksum'])) return entry['cksum']
  }
  return undefined
}

/** Whether this is the file of an index: each line tells a version. Some proxy's page about an error does not. */
export function isIndexFile(lines: string): boolean {
  const told = lines.split('\n').filter((line) => line.trim() !== '')
  return told.length > 0 && told.every((line) => typeof parsed(line)?.['vers'] === 'string')
}

/** The template of the index's `config.json`; undefined where it has none. */
export function downloadTemplate(config: string): string | undefined {
  const dl = parsed(config)?.['dl']
  return typeof dl === 'string' && /^https?:\/\//.test(dl) ? dl : undefined
}

/** Where a crate is downloaded: by the markers of the template, or below it where it has none. */
export function downloadUrl(template: string, { name, version, checksum }: { name: string; version: string; checksum: string }): string {
  const markers: Record<string, string> = {
    '{crate}': name, '{version}': version, '{prefix}': folderOf(name), '{lowerprefix}': folderOf(name.toLowerCase()), '{sha256-checksum}': checksum,
  }
  const filled = template.replace(/\{[a-z0-9-]+\}/g, (marker) => markers[marker] ?? marker)
  return filled === template ? `${template}/${name}/${version}/download` : filled
}

function folderOf(name: string): string {
  return name.length < 3 ? String(name.length) : name.length === 3 ? `3/${name[0]}` : `${name.slice(0, 2)}/${name.slice(2, 4)}`
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}
