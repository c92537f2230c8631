import type { IncomingMessage } from 'node:http'
import { Busboy, type BusboyFileStream, type BusboyHeaders } from '@fastify/busboy'
import { decodeText, textForm, type TextForm } from '../domain/decode.ts'
import { MuslinError } from '../errors.ts'
import { MOST_PLAN_LINES } from '../services/bounds.ts'

/** What a form sent. Values are in the order of the page; line ends in them are `\n`, whatever the browser made of them. */
export interface Form {
  value(name: string): string | undefined
  values(name: string): string[]
  files: { field: string; name: string; text: string; form: TextForm }[]
}

/** Of forms that bring no file: no other has a tenth of it. */
const MOST_SMALL_BYTES = 16_000
export const MAX_FORM_FILES = 50
// A plan has a checkbox for each of its lines.
const MAX_FIELDS = MOST_PLAN_LINES + 100

/**
 * Reads a sent form, multipart or urlencoded (HTML, section 4.10.21). Files must be text: UTF-8, or UTF-16 with its mark, as a
 * redirected `pip freeze` leaves them on Windows. Throws `too-large` beyond `most` bytes or 50 files, else `bad-request`.
 */
export async function readForm(req: IncomingMessage, { most = MOST_SMALL_BYTES }: { most?: number } = {}): Promise<Form> {
  try {
    if (Number(req.headers['content-length'] ?? 0) > most) throw tooLarge(most)
    return await parse(req, most)
  } catch (error) {
    // The browser shows the answer only once it was let to send the rest.
    req.unpipe()
    req.resume()
    throw error instanceof MuslinError ? error : new MuslinError('bad-request', `the form cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function parse(req: IncomingMessage, most: number): Promise<Form> {
  return new Promise((resolve, reject) => {
    const limits = { fieldSize: most, fields: MAX_FIELDS, files: MAX_FORM_FILES, headerPairs: 20 }
    const busboy = new Busboy({ headers: req.headers as BusboyHeaders, limits })
    const fields: [string, string][] = []
    const files: Promise<Form['files'][number] | undefined>[] = []
    let bytes = 0
    req.on('data', (chunk: Buffer) => { if ((bytes += chunk.length) > most) reject(tooLarge(most)) })
    req.once('error', reject)
    busboy.on('field', (name, value) => { fields.push([name, value.replace(/\r\n?/g, '\n')]) })
    busboy.on('file', (field, stream, name) => {
      const file = readFile(field, stream, name)
      file.catch(reject)
      files.push(file)
    })
    busboy.on('filesLimit', () => reject(new MuslinError('too-large', `a form may bring ${MAX_FORM_FILES} files`)))
    busboy.on('fieldsLimit', () => reject(new MuslinError('too-large', `a form may have ${MAX_FIELDS} fields`)))
    busboy.on('error', reject)
    busboy.on('finish', () => { Promise.all(files).then((read) => resolve(form(fields, read.flatMap((file) => file ?? []))), reject) })
    req.pipe(busboy)
  })
}

async function readFile(field: string, stream: BusboyFileStream, name: string | undefined): Promise<Form['files'][number] | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  // An input in which nothing was chosen is sent too, without a name.
  const bytes = Buffer.concat(chunks)
  return !name ? undefined : { field, name, text: decode(bytes, name), form: textForm(bytes) }
}

function decode(bytes: Buffer, name: string): string {
  const text = decodeText(bytes)
  if (text === undefined) throw new MuslinError('bad-request', `${name.slice(0, 80)} is no text in UTF-8; choose a requirements or lock file`)
  return text
}

function form(fields: [string, string][], files: Form['files']): Form {
  const values = (name: string): string[] => fields.filter(([field]) => field === name).map(([, value]) => value)
  return { value: (name) => values(name)[0], values, files }
}

function tooLarge(most: number): MuslinError {
  return new MuslinError('too-large', `this form may be ${most < 1_000_000 ? `${most / 1000} kB` : `${most / 1_000_000} MB`}`)
}
