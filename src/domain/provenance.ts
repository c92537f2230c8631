/** A build's record as an in-toto statement (v1) with SLSA provenance (v1): where a wheel comes from, for tools that check such things. */

export interface Provenance {
  /** This server's id. */
  instance: string
  wheel: { filename: string; sha256: string; project: string; version: string; target: string; number: number }
  build: { id: number; startedAt: number; finishedAt: number | undefined; record: Record<string, unknown> }
  /** sha256 of the build's log; undefined where it is gone. */
  log: string | undefined
}

/** What a record holds, of whichever version wrote it: nothing of it is sure to be there. */
interface Known {
  sdist?: { filename?: string; sha256?: string }
  requirements?: { filename?: string; sha256?: string }[]
  images?: { builder?: Image; clean?: Image }
  apks?: { name?: string; version?: string }[]
  system?: { arch?: string }
}
interface Image { ref?: string; digest?: string }

/** Names the parameters below, and how they lead to the wheel. */
const BUILD_TYPE = 'urn:muslin:build:1'

/** The statement as plain JSON. It is not signed: the server's word is as good as the way by which it was had. */
export function provenanceOf({ instance, wheel, build, log }: Provenance): Record<string, unknown> {
  const { sdist, recipe, environment, constraints, limits, rounds } = build.record
  const { project, version, target, number } = wheel
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: wheel.filename, digest: { sha256: wheel.sha256 } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { project, version, target, number, sdist, recipe },
        internalParameters: { environment, constraints, limits, rounds },
        resolvedDependencies: dependencies(build.record),
      },
      runDetails: {
        builder: { id: `urn:muslin:instance:${instance}` },
        metadata: { invocationId: String(build.id), startedOn: time(build.startedAt), finishedOn: build.finishedAt === undefined ? undefined : time(build.finishedAt) },
        byproducts: log === undefined ? [] : [{ name: 'log', digest: { sha256: log } }],
      },
    },
  }
}

function dependencies(record: Record<string, unknown>): unknown[] {
  const { sdist, requirements = [], images = {}, apks = [], system } = record as Known
  const image = (name: string, one: Image | undefined) => one ? [{ name, uri: one.ref, annotations: { digest: one.digest } }] : []
  return [
    ...(sdist ? [{ name: sdist.filename, digest: { sha256: sdist.sha256 } }] : []),
    ...requirements.map(({ filename, sha256 }) => ({ name: filename, digest: { sha256 } })),
    // An engine's digest of an image is of its own kind: a hash of files it may be, sha256 of one thing it need not.
    ...image('builder image', images.builder), ...image('clean image', images.clean),
    ...apks.map(({ name = '', version = '' }) => ({ name, uri: `pkg:apk/alpine/${encodeURIComponent(name)}@${encodeURIComponent(version)}${system?.arch === undefined ? '' : `?arch=${system.arch}`}` })),
  ]
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
