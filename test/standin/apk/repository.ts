/** Apks and their index as a signed repository of Alpine's (version 2 of the format): the real apk installs from it too. */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'

export interface ApkSpec {
  name: string
  version: string
  origin?: string
  provides?: string[]
  depends?: string[]
  /** By their paths without a leading slash. A link is given by where it leads. */
  files?: Record<string, ApkContent>
}

export type ApkContent = Buffer | string | { link: string } | { mode: number; body: Buffer | string }

interface Folder { folder: true }

export interface SigningKey {
  /** Of the public half in `/etc/apk/keys`, such as `standin.rsa.pub`. */
  name: string
  /** PEM. */
  privateKey: string
}

export interface MadeApk { filename: string; bytes: Buffer; fields: string; installed: string }

const ARCH = 'x86_64'

/** The PEM text of the public half. */
export function publicPem({ privateKey }: SigningKey): string {
  return createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'pem' }) as string
}

/** Everything below a repository's folder, by its path: `x86_64/APKINDEX.tar.gz`, `x86_64/zlib-1.3.1-r0.apk`. */
export async function makeRepository(apks: MadeApk[], key: SigningKey): Promise<Map<string, Buffer>> {
  const index = apks.map(({ fields }) => `${fields}\n`).join('')
  const tar = gzipSync(await tarOf([[{ name: 'DESCRIPTION' }, 'stand-in'], [{ name: 'APKINDEX' }, index]]))
  const signed = Buffer.concat([await signature(tar, key), tar])
  return new Map([[`${ARCH}/APKINDEX.tar.gz`, signed], ...apks.map(({ filename, bytes }) => [`${ARCH}/${filename}`, bytes] as const)])
}

/** An apk: three gzip members with its signature, what it is, and its files. */
export async function makeApk(spec: ApkSpec, key: SigningKey): Promise<MadeApk> {
  const { name, version, origin = name, provides = [], depends = [], files = {} } = spec
  const data = gzipSync(await tarOf(Object.entries(withFolders(files)).map(([path, content]) => [header(path, content), bodyOf(content)])))
  const unpacked = Object.values(files).reduce((sum, content) => sum + bodyOf(content).length, 0)
  const info = [
    `pkgname = ${name}`, `pkgver = ${version}`, `pkgdesc = ${name} of the stand-in`, 'url = https://alpine.example/', 'builddate = 1700000000',
    `size = ${unpacked}`, `arch = ${ARCH}`, `origin = ${origin}`, 'license = MIT', ...depends.map((one) => `depend = ${one}`),
    ...provides.map((one) => `provides = ${one}`), `datahash = ${createHash('sha256').update(data).digest('hex')}`,
  ].map((line) => `${line}\n`).join('')
  // Without the empty blocks at the end of an archive: the parts unpack as one.
  const control = gzipSync(withoutEnd(await tarOf([[{ name: '.PKGINFO' }, info]])))
  const bytes = Buffer.concat([await signature(control, key), control, data])
  const identity = [
    `C:Q1${createHash('sha1').update(control).digest('base64')}`, `P:${name}`, `V:${version}`, `A:${ARCH}`, `S:${bytes.length}`, `I:${unpacked}`,
    `T:${name} of the stand-in`, 'U:https://alpine.example/', 'L:MIT', `o:${origin}`, 't:1700000000',
    ...(depends.length > 0 ? [`D:${depends.join(' ')}`] : []), ...(provides.length > 0 ? [`p:${provides.join(' ')}`] : []),
  ].map((line) => `${line}\n`).join('')
  return { filename: `${name}-${version}.apk`, bytes, fields: identity, installed: `${identity}${installedFiles(files)}\n` }
}

/** The lines of `/lib/apk/db/installed` that tell which files are whose. */
function installedFiles(files: Record<string, ApkContent>): string {
  const lines: string[] = []
  let folder: string | undefined
  for (const path of Object.keys(files).sort()) {
    const at = path.lastIndexOf('/')
    if (path.slice(0, at) !== folder) {
      folder = path.slice(0, at)
      lines.push(`F:${folder}\n`)
    }
    const content = files[path] as ApkContent
    lines.push(`R:${path.slice(at + 1)}\na:0:0:${modeOf(content).toString(8)}\nZ:Q1${sha1(content).digest('base64')}\n`)
  }
  return lines.join('')
}

type Member = [Partial<Header> & { name: string }, Buffer | string]

async function tarOf(members: Member[]): Promise<Buffer> {
  const archive = pack()
  for (const [given, body] of members) {
    const common = { uid: 0, gid: 0, uname: 'root', gname: 'root', mtime: new Date(1_700_000_000_000), mode: 0o644, ...given }
    if (given.type === 'directory' || given.type === 'symlink') archive.entry(common)
    else archive.entry(common, body)
  }
  archive.finalize()
  return buffer(archive)
}

function withoutEnd(tar: Buffer): Buffer {
  return tar.subarray(0, tar.length - 1024)
}

async function signature(signed: Buffer, key: SigningKey): Promise<Buffer> {
  return gzipSync(withoutEnd(await tarOf([[{ name: `.SIGN.RSA.${key.name}` }, sign('RSA-SHA1', signed, key.privateKey)]])))
}

/** A folder for each that a path names, before what lies in it. */
function withFolders(files: Record<string, ApkContent>): Record<string, ApkContent | Folder> {
  const all: Record<string, ApkContent | Folder> = {}
  for (const path of Object.keys(files).sort()) {
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth++) all[`${parts.slice(0, depth).join('/')}/`] = { folder: true }
    all[path] = files[path] as ApkContent
  }
  return all
}

function header(path: string, content: ApkContent | Folder): Member[0] {
  if (isFolder(content)) return { name: path, type: 'directory', mode: 0o755 }
  const pax = { 'APK-TOOLS.checksum.SHA1': sha1(content).digest('hex') }
  if (isLink(content)) return { name: path, type: 'symlink', linkname: content.link, mode: 0o777, pax }
  return { name: path, mode: modeOf(content), pax }
}

/** Of a link: of where it leads. */
function sha1(content: ApkContent) {
  return createHash('sha1').update(isLink(content) ? content.link : bodyOf(content))
}

function modeOf(content: ApkContent): number {
  if (isLink(content)) return 0o777
  return typeof content === 'object' && 'mode' in content ? content.mode : 0o644
}

function bodyOf(content: ApkContent | Folder): Buffer {
  if (isFolder(content) || isLink(content)) return Buffer.alloc(0)
  return Buffer.from(typeof content === 'object' && 'mode' in content ? content.body : content)
}

function isLink(content: ApkContent): content is { link: string } {
  return typeof content === 'object' && 'link' in content
}

function isFolder(content: ApkContent | Folder): content is Folder {
  return typeof content === 'object' && 'folder' in content
}
