/**
 * Makes the server's image: `npm run image -- [words for docker build]`, as in `npm run image -- -t registry.example/muslin:1`.
 * Everything is laid out in `build/image/` first, so that the build itself needs the network only for what its base lacks.
 */
import { chmod, cp, mkdir, readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CONTEXT = join(ROOT, 'build/image')
const APP = join(CONTEXT, 'app')

await rm(join(ROOT, 'dist'), { recursive: true, force: true })
await rm(CONTEXT, { recursive: true, force: true })
await mkdir(join(CONTEXT, 'bin'), { recursive: true })
await execa('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' })

await cp(join(ROOT, 'dist'), APP, { recursive: true })
for (const part of ['builders', 'LICENSE', 'package.json']) await cp(join(ROOT, part), join(APP, part), { recursive: true })
// What the pages load is served as it is.
await cp(join(ROOT, 'src/ui/assets'), join(APP, 'src/ui/assets'), { recursive: true })
await cp(join(ROOT, 'docker/healthcheck.cjs'), join(APP, 'healthcheck.cjs'))
for (const path of await productionModules()) {
  // Modules within a module have entries of their own.
  await cp(join(ROOT, path), join(APP, path), { recursive: true, filter: (source) => !source.slice(join(ROOT, path).length).includes('/node_modules') })
}
await cp(await realpath(join(ROOT, 'node_modules/.bin/node')), join(CONTEXT, 'bin/node'))
await cp(join(ROOT, 'docker/muslin'), join(CONTEXT, 'bin/muslin'))
for (const program of ['node', 'muslin']) await chmod(join(CONTEXT, 'bin', program), 0o755)

const words = process.argv.slice(2)
const tag = words.some((word) => /^(-t|--tag)/.test(word)) ? [] : ['-t', 'muslin:latest']
const built = await execa('docker', ['build', '-f', join(ROOT, 'docker/Dockerfile'), ...tag, ...words, CONTEXT], { stdio: 'inherit', reject: false })
process.exit(built.exitCode ?? 1)

/** Folders of the modules that the program itself needs, by the lock. Optional ones for other platforms are not there. */
async function productionModules(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean; optional?: boolean }> }
  return Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.dev && !entry.optional).map(([path]) => path)
}
