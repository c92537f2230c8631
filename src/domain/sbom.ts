/** The bill of materials that lies in a wheel (PEP 770), as CycloneDX 1.6. It holds no time and no random number: the same build gives the same bytes. */
import { normalizeName } from './names.ts'

/** Where it lies in the wheel's .dist-info folder. */
export const SBOM = 'sboms/muslin.cdx.json'

export interface Materials {
  project: string
  version: string
  sdist: { filename: string; sha256: string }
  /** Of which Alpine the libraries in it are, as far as is known. */
  system: { repositories: string[]; arch: string; bundled: { apk: string; version: string; library: string }[]; runtime: string[] } | undefined
  /** Wheels that the build environment was made from. */
  requirements: { project: string; version: string; filename: string; sha256: string }[]
}

interface Property { name: string; value: string }
interface Component { type: string; name: string; version?: string; purl?: string; 'bom-ref'?: string; hashes?: unknown; pedigree?: unknown; properties?: Property[] }

/** The document, as JSON with a line end. */
export function makeSbom({ project, version, sdist, system, requirements }: Materials): string {
  const itself = { ...pypi('library', project, version), pedigree: { ancestors: [{ type: 'file', name: sdist.filename, hashes: sha256(sdist.sha256), purl: purlOf(project, version, sdist.filename) }] } }
  const libraries = system ? bundled(system) : []
  const built = requirements.map((one) => ({ ...pypi('library', one.project, one.version, one.filename), hashes: sha256(one.sha256) }))
  const properties = system ? [...named('repository', system.repositories), ...named('arch', [system.arch]), ...named('runtime-apk', system.runtime)] : []
  const document = {
    bomFormat: 'CycloneDX', specVersion: '1.6', version: 1,
    metadata: { component: itself, ...(properties.length > 0 && { properties }) },
    components: libraries,
    dependencies: [{ ref: itself['bom-ref'], dependsOn: libraries.map((one) => one['bom-ref']) }, ...libraries.map((one) => ({ ref: one['bom-ref'] }))],
    ...(built.length > 0 && { formulation: [{ components: built }] }),
  }
  return `${JSON.stringify(document, null, 1)}\n`
}

/** One component an apk, which may have given several libraries. */
function bundled({ bundled, arch }: NonNullable<Materials['system']>): Component[] {
  const apks = Map.groupBy(bundled, ({ apk, version }) => `pkg:apk/alpine/${encodeURIComponent(apk)}@${encodeURIComponent(version)}?arch=${arch}`)
  return [...apks].sort(([a], [b]) => a < b ? -1 : 1).map(([purl, [first, ...others]]) => ({
    type: 'library', 'bom-ref': purl, name: first!.apk, version: first!.version, purl,
    properties: named('library', [first!, ...others].map(({ library }) => library).sort()),
  }))
}

function pypi(type: string, project: string, version: string, filename?: string): Component {
  const purl = purlOf(project, version, filename)
  return { type, 'bom-ref': purl, name: normalizeName(project), version, purl }
}

/** https://github.com/package-url/purl-spec, type pypi. */
function purlOf(project: string, version: string, filename?: string): string {
  return `pkg:pypi/${normalizeName(project)}@${encodeURIComponent(version)}${filename === undefined ? '' : `?file_name=${encodeURIComponent(filename)}`}`
}

function sha256(content: string) {
  return [{ alg: 'SHA-256', content }]
}

function named(name: string, values: string[]): Property[] {
  return values.map((value) => ({ name: `muslin:${name}`, value }))
}
