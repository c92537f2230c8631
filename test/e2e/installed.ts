/** What is in an image: looked at by running it, and by reading its layers. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { execa } from 'execa'
import tar from 'tar-stream'
import { readWheel } from '../../src/builder/wheel-file.ts'
import { cleanEnv, type Lab, type Muslin } from './lab.ts'

/** sha256 as wheels' RECORDs have it. */
interface Seen { uid: number; digest: string; recorded: string[]; compilers: string[] }

const LOOK = `
import base64, hashlib, importlib, importlib.metadata, json, os, shutil, sys
project = sys.argv[1]
module = importlib.import_module('_' + project.replace('-', '_'))
digest = base64.urlsafe_b64encode(hashlib.sha256(open(module.__file__, 'rb').read()).digest()).rstrip(b'=').decode()
recorded = [file.hash.value for file in importlib.metadata.files(project) if file.suffix == '.so']
compilers = [name for name in ('gcc', 'cc', 'g++', 'c++', 'clang', 'tcc', 'zig', 'make') if shutil.which(name)]
print(json.dumps({'uid': os.getuid(), 'digest': digest, 'recorded': recorded, 'compilers': compilers}))
`

/** The image's own user imports the project's module, whose bytes are those of the wheel that the server lists, and no compiler is there. Gives the user's id. */
export async function runsOurs(lab: Lab, muslin: Muslin, image: string, project: string): Promise<number> {
  const { code, output } = await lab.run(image, ['python', '-c', LOOK, project])
  assert.equal(code, 0, output)
  const seen = JSON.parse(output) as Seen
  const digest = await digestInWheel(await lab.folder(), muslin, project)
  assert.deepEqual(seen, { uid: seen.uid, digest, recorded: [digest], compilers: [] })
  return seen.uid
}

/** Of the extension in the only wheel that the server built of the project. */
async function digestInWheel(folder: string, muslin: Muslin, project: string): Promise<string> {
  const page = `${muslin.url}/finished/simple/${project}/`
  const { files } = (await (await fetch(page, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })).json()) as { files: { filename: string; url: string; hashes: { sha256: string } }[] }
  const wheels = files.filter(({ filename }) => filename.endsWith('.whl'))
  assert.equal(wheels.length, 1, JSON.stringify(files))
  const [wheel] = wheels
  const bytes = Buffer.from(await (await fetch(new URL(wheel!.url, page))).arrayBuffer())
  assert.equal(createHash('sha256').update(bytes).digest('hex'), wheel!.hashes.sha256)
  await writeFile(join(folder, wheel!.filename), bytes)
  const extension = (await readWheel(join(folder, wheel!.filename))).find(({ name }) => name.endsWith('.so'))
  assert.ok(extension, wheel!.filename)
  return createHash('sha256').update(await extension.read()).digest('base64url')
}

/** Which of these texts an image's layers and configuration hold, its history included. */
export async function textsInImage(image: string, texts: string[]): Promise<string[]> {
  const found = new Set<string>()
  const save = execa('docker', ['save', image], { env: cleanEnv(), extendEnv: false, buffer: false, encoding: 'buffer' })
  for await (const entry of save.stdout.pipe(tar.extract())) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    // Engines differ in whether they keep layers compressed.
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
    for (const text of texts) if (plain.includes(text)) found.add(text)
  }
  await save
  return texts.filter((text) => found.has(text))
}
