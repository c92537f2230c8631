import { expect, test } from 'vitest'
import { provenanceOf, type Provenance } from '../../src/domain/provenance.ts'

const given = (record: Record<string, unknown>): Provenance => ({
  instance: 'one', log: 'f'.repeat(64),
  wheel: { filename: 'demo-1.0-2-cp313-cp313-musllinux_1_2_x86_64.whl', sha256: 'a'.repeat(64), project: 'demo', version: '1.0', target: 'cp313-musllinux_1_2_x86_64', number: 2 },
  build: { id: 7, startedAt: 0, finishedAt: 1500, record },
})

test('a record becomes a statement of SLSA provenance', () => {
  expect(provenanceOf(given({
    sdist: { filename: 'demo-1.0.tar.gz', sha256: 'b'.repeat(64) }, environment: { A: '1' }, recipe: { apks: ['x-dev'] }, system: { arch: 'x86_64' },
    requirements: [{ filename: 'setuptools-80-py3-none-any.whl', sha256: 'c'.repeat(64) }], images: { builder: { ref: 'b', digest: 'sha256:d' } }, apks: [{ name: 'x-dev', version: '1-r0' }],
  }))).toEqual({
    _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1',
    subject: [{ name: 'demo-1.0-2-cp313-cp313-musllinux_1_2_x86_64.whl', digest: { sha256: 'a'.repeat(64) } }],
    predicate: {
      buildDefinition: {
        buildType: 'urn:muslin:build:1',
        externalParameters: { project: 'demo', version: '1.0', target: 'cp313-musllinux_1_2_x86_64', number: 2, sdist: { filename: 'demo-1.0.tar.gz', sha256: 'b'.repeat(64) }, recipe: { apks: ['x-dev'] } },
        internalParameters: { environment: { A: '1' } },
        resolvedDependencies: [
          { name: 'demo-1.0.tar.gz', digest: { sha256: 'b'.repeat(64) } }, { name: 'setuptools-80-py3-none-any.whl', digest: { sha256: 'c'.repeat(64) } },
          { name: 'builder image', uri: 'b', annotations: { digest: 'sha256:d' } }, { name: 'x-dev', uri: 'pkg:apk/alpine/x-dev@1-r0?arch=x86_64' },
        ],
      },
      runDetails: {
        builder: { id: 'urn:muslin:instance:one' }, byproducts: [{ name: 'log', digest: { sha256: 'f'.repeat(64) } }],
        metadata: { invocationId: '7', startedOn: '1970-01-01T00:00:00.000Z', finishedOn: '1970-01-01T00:00:01.500Z' },
      },
    },
  })
})

test('a record of an older version, which says less, does not stop it', () => {
  expect(provenanceOf({ ...given({}), log: undefined })).toMatchObject({ predicate: { buildDefinition: { resolvedDependencies: [] }, runDetails: { byproducts: [] } } })
})
