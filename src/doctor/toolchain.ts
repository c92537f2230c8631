import type { Check } from '../cli/context.ts'
import { size } from '../cli/format.ts'
import type { ProjectPage } from '../domain/page.ts'
import { type Pinned, pipWheel, zigWheel } from '../engine/embedded/pins.ts'
import type { BlobStore, Upstream } from '../services/ports.ts'
import { fail, guarded, ok } from './check.ts'

interface Parts { upstream: Pick<Upstream, 'page'>; blobs: Pick<BlobStore, 'stat'> }

/** What the embedded engine compiles with is here, or can be had: by name and digest, through the upstream like any wheel. */
export async function toolchainChecks({ cpu, ...parts }: Parts & { cpu: string }): Promise<Check[]> {
  const pins = [() => zigWheel(cpu), pipWheel]
  return (await Promise.all(pins.map((pin) => guarded('toolchain', () => pinCheck(pin(), parts))))).flat()
}

async function pinCheck({ project, version, filename, sha256, size: bytes }: Pinned, { upstream, blobs }: Parts): Promise<Check> {
  const name = `${project} ${version}`
  if (await blobs.stat(sha256)) return ok('toolchain', `${name} is here`)
  const answer = await upstream.page(project)
  const listed = answer.kind === 'page' ? (JSON.parse(answer.json.toString()) as ProjectPage).files : []
  if (listed.some((file) => file.filename === filename && file.hashes['sha256'] === sha256)) return ok('toolchain', `${name} is fetched at the first build (${size(bytes)})`)
  return fail('toolchain', `the upstream has no ${filename} with the digest that is pinned`, 'use an upstream that has all of PyPI, or a container engine')
}
