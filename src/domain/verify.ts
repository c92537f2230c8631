/** Whether a built wheel may be published: what it says about itself is true, and musl can load what it holds (building.md section 2). */
import { cleanLine } from './clean.ts'
import { isElf, readElf, ElfError, type ElfFile } from './elf.ts'
import type { Failure } from './failure.ts'
import { parseWheelFilename, type WheelFilename } from './filename.ts'
import { parseMetadata } from './metadata.ts'
import { normalizeName } from './names.ts'
import { parseRecord, type RecordLine } from './record.ts'
import { Refused } from './refused.ts'
import { wheelFits } from './tags.ts'
import type { Target } from './target.ts'
import { checkElfFiles } from './verify-elf.ts'
import { compareVersions, parseVersion } from './version.ts'

export interface WheelMember {
  /** With `/` between folders; a folder's own entry ends in one. */
  name: string
  read(): Promise<Uint8Array>
}

export interface VerifyInput {
  filename: string
  members: WheelMember[]
  project: string
  version: string
  target: Target
  /** The release of musl that the target's clients have at least: `1.2.5`. */
  muslRelease: string
  /** What the plan made of the sdist. */
  expected: 'native' | 'pure' | 'unknown'
  /** Libraries that the client's system is to bring, by file name; `*` stands for any characters. */
  outside: string[]
  /** sha256 in unpadded base64url, as RECORD writes it. */
  sha256(bytes: Uint8Array): string
}

export type Verdict =
  | {
    ok: true
    native: boolean
    /** The oldest musl that has all it needs; undefined for a pure wheel. */
    lowestMusl: string | undefined
    /** Holds RELR relocations. */
    relr: boolean
    /** File names of the libraries that it brings for its own use. */
    bundled: string[]
    /** METADATA as it is in the wheel. */
    metadata: Uint8Array
    requiresPython: string | undefined
  }
  | { ok: false; failure: Failure }

/** Checks a finished wheel, member by member. Rejects only where a member cannot be read. Accepts nothing that it does not understand. */
export async function verifyWheel(input: VerifyInput): Promise<Verdict> {
  try {
    const named = checkFilename(input)
    const { elfs, text, metadata } = await readMembers(input)
    checkWheelText(text('WHEEL'), named)
    const requiresPython = checkMetadata(text('METADATA'), input)
    checkKind(input, named, elfs.length > 0, /^root-is-purelib:\s*true\s*$/im.test(text('WHEEL')))
    return { ok: true, native: elfs.length > 0, ...checkElfFiles(elfs, { ...input, cpu: input.target.cpu }), metadata, requiresPython }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, failure: { class: error.class, key: cleanLine(error.message, LONGEST_KEY) } }
    throw error
  }
}

const LONGEST_KEY = 120

function checkFilename({ filename, project, version, target }: VerifyInput): WheelFilename {
  const named = parseWheelFilename(filename)
  if (!named) throw new Refused('wrong-wheel', `${filename} is no wheel's file name`)
  if (named.project !== normalizeName(project)) throw new Refused('wrong-wheel', `it is named ${named.name}, not ${project}`)
  if (!sameVersion(named.version, version)) {
    throw new Refused('wrong-wheel', `it is version ${named.version}, not ${version}`)
  }
  if (!wheelFits(named, target)) throw new Refused('wrong-wheel', `its tags do not fit ${target.name}`)
  return named
}

async function readMembers({ members, project, version, sha256 }: VerifyInput) {
  for (const { name } of members) checkPath(name)
  const files = members.filter(({ name }) => !name.endsWith('/'))
  if (new Set(files.map(({ name }) => name)).size !== files.length) throw new Refused('wrong-wheel', 'it holds a member twice')
  const info = distInfo(files, project, version)
  const record = await readRecord(files, `${info}/RECORD`)
  const elfs: { name: string; elf: ElfFile }[] = []
  const kept = new Map<string, Uint8Array>()
  for (const { name, read } of files) {
    if (UNRECORDED.test(name) && name.startsWith(`${info}/`)) continue
    const bytes = await read()
    const line = record.get(name)
    if (!line) throw new Refused('wrong-wheel', `its RECORD does not list ${name}`)
    if (line.digest !== `sha256=${sha256(bytes)}` || line.size !== String(bytes.length)) throw new Refused('wrong-wheel', `its RECORD is wrong about ${name}`)
    record.delete(name)
    if (isElf(bytes)) elfs.push({ name, elf: parseElf(name, bytes) })
    if (name === `${info}/WHEEL` || name === `${info}/METADATA`) kept.set(name.slice(info.length + 1), bytes)
  }
  const [absent] = record.keys()
  if (absent !== undefined) throw new Refused('wrong-wheel', `its RECORD lists ${absent}, which is absent`)
  const take = (name: string) => {
    const bytes = kept.get(name)
    if (!bytes) throw new Refused('wrong-wheel', `it has no ${name}`)
    return bytes
  }
  return { elfs, text: (name: string) => new TextDecoder().decode(take(name)), metadata: take('METADATA') }
}

// PEP 427 "Signed wheel files": these three cannot hold their own digests.
const UNRECORDED = /\/RECORD(?:\.jws|\.p7s)?$/

function checkPath(name: string): void {
  const parts = name.replace(/\/$/, '').split('/')
  if (name.includes('\\') || /[\0-\x1f\x7f]/.test(name) || /^[a-z]:/i.test(name) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Refused('wrong-wheel', `its member ${name} lies outside it`)
  }
}

function distInfo(files: WheelMember[], project: string, version: string): string {
  // What lies in these folders of .data is installed beside the top level (PEP 427 "The .data directory").
  const top = files.map(({ name }) => name.replace(/^[^/]+\.data\/(?:purelib|platlib)\//, '').split('/')[0] ?? '')
  const [folder, second] = new Set(top.filter((first) => first.endsWith('.dist-info')))
  if (folder === undefined) throw new Refused('wrong-wheel', 'it has no dist-info folder')
  if (second !== undefined) throw new Refused('wrong-wheel', `it has two dist-info folders, ${folder} and ${second}`)
  const stem = folder.slice(0, -'.dist-info'.length)
  const dash = stem.lastIndexOf('-')
  if (normalizeName(stem.slice(0, dash)) !== normalizeName(project) || !sameVersion(stem.slice(dash + 1), version)) {
    throw new Refused('wrong-wheel', `its ${folder} is not of ${project} ${version}`)
  }
  return folder
}

async function readRecord(files: WheelMember[], name: string): Promise<Map<string, RecordLine>> {
  const member = files.find((file) => file.name === name)
  if (!member) throw new Refused('wrong-wheel', 'it has no RECORD')
  const parsed = parseRecord(new TextDecoder().decode(await member.read()))
  if ('bad' in parsed) throw new Refused('wrong-wheel', `its RECORD has the line ${parsed.bad}`)
  const lines = parsed.lines.filter((line) => !(UNRECORDED.test(line.name) && line.digest === ''))
  const record = new Map(lines.map((line) => [line.name, line]))
  if (record.size !== lines.length) throw new Refused('wrong-wheel', 'its RECORD lists a member twice')
  return record
}

function parseElf(name: string, bytes: Uint8Array): ElfFile {
  try {
    return readElf(bytes)
  } catch (error) {
    if (error instanceof ElfError) throw new Refused('wrong-wheel', `${name} is a broken ELF file: ${error.message}`)
    throw error
  }
}

function checkWheelText(text: string, named: WheelFilename): void {
  const { headers } = parseMetadata(text)
  if (!/^1\.[0-9]+$/.test(headers.get('wheel-version')?.[0] ?? '')) throw new Refused('wrong-wheel', 'its WHEEL is of no known version')
  const tags = named.pythons.flatMap((python) => named.abis.flatMap((abi) => named.platforms.map((platform) => `${python}-${abi}-${platform}`)))
  const said = new Set((headers.get('tag') ?? []).map((tag) => tag.toLowerCase()))
  if (said.size !== tags.length || !tags.every((tag) => said.has(tag))) throw new Refused('wrong-wheel', 'the tags in its WHEEL are not those of its file name')
  if (headers.get('build')?.[0] !== named.build) throw new Refused('wrong-wheel', 'the build number in its WHEEL is not that of its file name')
}

function checkMetadata(text: string, { project, version }: VerifyInput): string | undefined {
  const metadata = parseMetadata(text)
  if (!/^[12]\.[0-9]+$/.test(metadata.metadataVersion)) throw new Refused('wrong-wheel', 'its METADATA is of no known version')
  if (normalizeName(metadata.name) !== normalizeName(project)) throw new Refused('wrong-wheel', `its METADATA is of ${metadata.name}`)
  if (!sameVersion(metadata.version, version)) throw new Refused('wrong-wheel', `its METADATA is of version ${metadata.version}`)
  return metadata.requiresPython
}

function checkKind({ expected }: VerifyInput, named: WheelFilename, native: boolean, purelib: boolean): void {
  if (native && named.platforms.includes('any')) throw new Refused('wrong-wheel', 'it holds native code and is tagged for any platform')
  // A pure wheel under a target's name (that is how it was promised) still calls itself pure; PyYAML without its header does not.
  if (!native && (expected === 'native' || (!purelib && !named.platforms.includes('any')))) throw new Refused('pure-fallback', '')
}

// As pip compares them: 1.0 is 1.0.0. The last dash of a version may be an underscore (PEP 427 "Escaping and Unicode").
function sameVersion(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => parseVersion(text) ?? parseVersion(text.replaceAll('_', '-')))
  return left !== undefined && right !== undefined && compareVersions(left, right) === 0
}
