import { expect, test } from 'vitest'
import { makeSbom, type Materials } from '../../src/domain/sbom.ts'

const SYSTEM: NonNullable<Materials['system']> = {
  repositories: ['apk/v3.21/main', 'apk/v3.21/community'], arch: 'x86_64', runtime: ['unixodbc'],
  bundled: [{ apk: 'libxml2', version: '2.13.4-r3', library: 'libxml2.so.2.13.4' }, { apk: 'c++', version: '1:2', library: 'b.so.1' }, { apk: 'c++', version: '1:2', library: 'a.so.1' }],
}
const materials = (changes: Partial<Materials> = {}): Materials => ({
  project: 'My_Lib', version: '1.0+local', sdist: { filename: 'my_lib-1.0.tar.gz', sha256: 'a'.repeat(64) }, system: SYSTEM,
  requirements: [{ project: 'Cython', version: '3.1', filename: 'cython-3.1-py3-none-any.whl', sha256: 'b'.repeat(64) }], ...changes,
})

test('names the sdist, what is bundled by apk, and what it was made with, by purls', () => {
  expect(JSON.parse(makeSbom(materials()))).toMatchObject({
    bomFormat: 'CycloneDX', specVersion: '1.6',
    metadata: { component: {
      type: 'library', name: 'my-lib', version: '1.0+local', purl: 'pkg:pypi/my-lib@1.0%2Blocal',
      pedigree: { ancestors: [{ type: 'file', name: 'my_lib-1.0.tar.gz', hashes: [{ alg: 'SHA-256', content: 'a'.repeat(64) }] }] },
    } },
    components: [
      { name: 'c++', version: '1:2', purl: 'pkg:apk/alpine/c%2B%2B@1%3A2?arch=x86_64', properties: [{ value: 'a.so.1' }, { value: 'b.so.1' }] },
      { name: 'libxml2', purl: 'pkg:apk/alpine/libxml2@2.13.4-r3?arch=x86_64' },
    ],
    formulation: [{ components: [{ purl: 'pkg:pypi/cython@3.1?file_name=cython-3.1-py3-none-any.whl', hashes: [{ content: 'b'.repeat(64) }] }] }],
  })
})

test('every reference has its component, and none stands twice', () => {
  const document = JSON.parse(makeSbom(materials())) as { metadata: { component: Ref }; components: Ref[]; dependencies: { ref: string; dependsOn?: string[] }[] }
  interface Ref { 'bom-ref': string }
  const refs = [document.metadata.component, ...document.components].map((one) => one['bom-ref'])
  expect(document.dependencies.map(({ ref }) => ref)).toEqual(refs)
  expect(document.dependencies[0]?.dependsOn).toEqual(refs.slice(1))
  expect(new Set(refs).size).toBe(refs.length)
})

test('the same materials give the same text, with no time and no serial number', () => {
  expect(makeSbom(materials())).toBe(makeSbom(materials()))
  expect(makeSbom(materials())).not.toMatch(/serialNumber|timestamp/)
})
