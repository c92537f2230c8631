/** The files of an archive as they would lie on a disk: what may not lie there is refused, whatever kind the archive is of. */
import { isScript, sourceEnding, wanted, type SdistContents } from '../domain/plan-contents.ts'
import { Failed } from './failed.ts'

export interface SdistBounds {
  entries: number
  /** Of all files. */
  bytes: number
}

export interface Member {
  /** As the archive has it. */
  name: string
  kind: 'file' | 'folder' | 'symbolic link' | 'hard link'
  /** Of files. */
  size: number
  /** Of links: a hard link's is named from the archive's root, a symbolic link's from its own folder. */
  target?: string
}

export interface Tree {
  /** Something that takes an entry without being a member. */
  count(): void
  /** How many of the member's first bytes are wanted; they come by `text`. Throws Failed `bad-sdist`. */
  add(member: Member): number
  text(name: string, bytes: Uint8Array): void
  /** All of it has come. Throws Failed `bad-sdist`. */
  contents(): SdistContents
}

/** File systems end at 255 bytes; programs at 4096 for a whole path, of which the build's own place takes some. */
const LONGEST_NAME = 255
const LONGEST_PATH = 2000
const DEEPEST = 100
/** Build files of the largest projects come to half of it. */
const MOST_TEXT = 4 << 20
const ESSENTIAL = ['PKG-INFO', 'pyproject.toml', 'setup.py', 'setup.cfg', 'Cargo.lock']
/** As many as Linux follows. */
const MOST_LINKS = 40

export function createTree(bounds: SdistBounds): Tree {
  const nodes = new Map<string, 'file' | 'folder' | 'link'>()
  const links = new Map<string, string>()
  const sources = new Map<string, { files: number; bytes: number }>()
  const texts = new Map<string, string>()
  const scripts: string[] = []
  let folder = ''
  let entries = 0
  let bytes = 0
  let textBytes = 0

  return {
    count, add, text,
    contents() {
      if (folder === '') throw bad('it is empty')
      for (const path of links.keys()) follow(path)
      return {
        folder, entries, bytes, texts, scripts,
        sources: [...sources].sort(([a], [b]) => a < b ? -1 : 1).map(([ending, count]) => ({ ending, ...count })),
      }
    },
  }

  function count(): void {
    entries += 1
    if (entries > bounds.entries) throw tooMany()
  }

  function tooMany(): Failed {
    return bad(`it holds more than ${bounds.entries} entries`)
  }

  function add(member: Member): number {
    count()
    bytes += member.size
    if (bytes > bounds.bytes) throw bad(`it unpacks to more than ${bounds.bytes} bytes`)
    const parts = partsOf(member.name)
    const [top, ...inside] = parts
    if (top === undefined || isAppleDouble(parts, member)) return 0
    if (folder === '') folder = top
    if (top !== folder) throw bad(`it has more than one top-level folder: ${shown(folder)} and ${shown(top)}`)
    if (inside.length === 0 && member.kind !== 'folder') throw bad(`${shown(member.name)} lies outside its top-level folder`)
    place(parts, member)
    if (member.kind !== 'file') return 0
    const path = inside.join('/')
    note(path, member.size)
    const room = Math.min(wanted(path), member.size)
    if (room === 0 && wanted(path) > 0) texts.set(path, '')
    if (!ESSENTIAL.includes(path) && textBytes + room > MOST_TEXT) return 0
    textBytes += room
    return room
  }

  /** Every folder on the way must be one, and nothing may lie there already. */
  function place(parts: string[], member: Member): void {
    const path = parts.join('/')
    for (let depth = parts.length - 1; depth > 0; depth--) {
      const above = parts.slice(0, depth).join('/')
      const kind = nodes.get(above)
      if (kind === 'link') throw bad(`${shown(member.name)} leads through the link ${shown(above)}`)
      if (kind === 'file') throw bad(`${shown(above)} is a file and a folder`)
      if (kind === 'folder') break
      // Folders that nobody lists cost as much as those that are.
      if (nodes.set(above, 'folder').size > bounds.entries) throw tooMany()
    }
    const there = nodes.get(path)
    if (there === 'folder' && member.kind === 'folder') return
    if (there !== undefined) throw bad(there === 'folder' || member.kind === 'folder' ? `${shown(path)} is ${there === 'link' || isLink(member) ? 'a link' : 'a file'} and a folder` : `it holds ${shown(path)} twice`)
    if (member.kind === 'hard link') {
      const given = member.target ?? ''
      const target = given.split('/').filter((part) => part !== '' && part !== '.').join('/')
      if (given.startsWith('/') || given.split('/').includes('..')) throw outside(path)
      if (nodes.get(target) !== 'file') throw bad(`the link ${shown(member.name)} leads to no file before it`)
      nodes.set(path, 'file')
      copyText(target, path)
    } else {
      nodes.set(path, isLink(member) ? 'link' : member.kind as 'file' | 'folder')
      if (isLink(member)) links.set(path, member.target ?? '')
    }
  }

  function note(path: string, size: number): void {
    if (isScript(path)) scripts.push(path)
    const ending = sourceEnding(path)
    if (ending === undefined) return
    const { files, bytes } = sources.get(ending) ?? { files: 0, bytes: 0 }
    sources.set(ending, { files: files + 1, bytes: bytes + size })
  }

  function text(name: string, content: Uint8Array): void {
    texts.set(partsOf(name).slice(1).join('/'), new TextDecoder().decode(content))
  }

  /** Where a link ends when each link on its way is followed, as the system would; it may lead to nothing, but not outside. */
  function follow(path: string): void {
    const resolved: string[] = []
    const todo = path.split('/')
    for (let hops = 0; todo.length > 0;) {
      const part = todo.shift()!
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (resolved.pop() === undefined) throw outside(path)
        continue
      }
      resolved.push(part)
      if (resolved[0] !== folder) throw outside(path)
      const target = links.get(resolved.join('/'))
      if (target === undefined) continue
      if (target === '' || target.startsWith('/') || unfit(target)) throw outside(path)
      if (++hops > MOST_LINKS) throw bad(`the link ${shown(path)} leads in a circle`)
      resolved.pop()
      todo.unshift(...target.split('/'))
    }
    if (resolved[0] !== folder) throw outside(path)
    copyText(resolved.join('/'), path)
  }

  /** A build file may be a link to another one. */
  function copyText(from: string, to: string): void {
    const [there, here] = [from, to].map((path) => path.slice(folder.length + 1)) as [string, string]
    if (wanted(here) > 0 && texts.has(there)) texts.set(here, texts.get(there)!)
  }
}

/** The parts of a member's name. Throws Failed for any that is no plain, relative path. */
function partsOf(name: string): string[] {
  const why = unfit(name)
  if (why !== undefined) throw bad(`the path ${shown(name)} ${why}`)
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (name.startsWith('/')) throw bad(`the path ${shown(name)} is absolute`)
  if (parts.includes('..')) throw bad(`the path ${shown(name)} leads outside`)
  if (/^[A-Za-z]:/.test(parts[0] ?? '')) throw bad(`the path ${shown(name)} begins with a drive`)
  return parts
}

/** Why no path of an sdist is written like this. */
function unfit(name: string): string | undefined {
  if (/[\0-\x1f\x7f]/.test(name)) return 'holds a control character'
  if (name.includes('\\')) return 'holds a backslash'
  const parts = name.split('/')
  if (Buffer.byteLength(name) > LONGEST_PATH || parts.length > DEEPEST || parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME)) return 'is too long'
  return undefined
}

/** What tar of macOS writes beside each folder, the outermost too. pip passes it over. */
function isAppleDouble(parts: string[], { kind }: Member): boolean {
  return parts.length === 1 && kind === 'file' && parts[0]!.startsWith('._')
}

function isLink({ kind }: Member): boolean {
  return kind === 'symbolic link' || kind === 'hard link'
}

function outside(path: string): Failed {
  return bad(`the link ${shown(path)} points outside`)
}

/** A name for an error's text. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}

export function bad(key: string): Failed {
  return new Failed({ class: 'bad-sdist', key })
}
