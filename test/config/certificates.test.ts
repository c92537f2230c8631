import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { upstreamCertificates } from '../../src/config/certificates.ts'
import type { Pip } from '../../src/config/pip.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'muslin-ca-')) })
afterEach(() => rmSync(folder, { recursive: true }))

// Bundles are told apart by their text alone: nothing here parses them.
function bundle(name: string): { file: string; pem: string } {
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(name).toString('base64')}\n-----END CERTIFICATE-----`
  const file = join(folder, name)
  writeFileSync(file, `# ${name}\n${pem}\n`)
  return { file, pem }
}

function pipWithCert(file: string): Pip {
  return { command: 'pip', config: new Map([['cert', { value: file, section: 'global' }]]), defaultIndex: async () => undefined }
}

test('Node\'s own CAs are trusted', async () => {
  expect(await upstreamCertificates({ setting: undefined, env: {}, pip: undefined })).toEqual(expect.arrayContaining(getCACertificates('default')))
})

test('and those of SSL_CERT_FILE, of pip\'s cert setting and of upstreamCa', async () => {
  const [ssl, pip, own] = [bundle('ssl'), bundle('pip'), bundle('own')]
  const ca = await upstreamCertificates({ setting: own.file, env: { SSL_CERT_FILE: ssl.file }, pip: pipWithCert(pip.file) })
  expect(ca).toEqual(expect.arrayContaining([ssl.pem, pip.pem, own.pem]))
})

test('PIP_CERT beats pip\'s configuration, as it does for pip', async () => {
  const [variable, configured] = [bundle('variable'), bundle('configured')]
  const ca = await upstreamCertificates({ setting: undefined, env: { PIP_CERT: variable.file }, pip: pipWithCert(configured.file) })
  expect(ca).toContain(variable.pem)
  expect(ca).not.toContain(configured.pem)
})

test('files that are absent count for nothing', async () => {
  const absent = join(folder, 'absent')
  await expect(upstreamCertificates({ setting: undefined, env: { SSL_CERT_FILE: absent }, pip: pipWithCert(absent) })).resolves.not.toHaveLength(0)
})

test('except the one that the setting names', async () => {
  await expect(upstreamCertificates({ setting: join(folder, 'absent'), env: {}, pip: undefined })).rejects.toMatchObject({ code: 'bad-settings' })
  writeFileSync(join(folder, 'empty'), 'no certificate')
  await expect(upstreamCertificates({ setting: join(folder, 'empty'), env: {}, pip: undefined }))
    .rejects.toMatchObject({ code: 'bad-settings', detail: expect.stringContaining('holds no PEM certificate') })
})
