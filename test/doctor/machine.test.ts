import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataCheck, diskCheck, diskFound, nodeCheck, tokenCheck } from '../../src/doctor/machine.ts'
import { temporaryFolder } from '../storage/folder.ts'

let folder: string
let remove: () => Promise<void>
beforeEach(async () => { ({ folder, remove } = await temporaryFolder()) })
afterEach(() => remove())

test('Node is new enough, or npm start brings one', () => {
  expect(nodeCheck(process.versions.node)).toMatchObject({ state: 'ok', remedy: undefined })
  expect(nodeCheck('20.19.4')).toMatchObject({ state: 'fail', found: '20.19.4, older than 24', remedy: expect.stringContaining('npm start') })
})

test('a data folder that is not there is made at the start, if something above it is a folder', async () => {
  expect(await dataCheck(join(folder, 'deep', 'data'))).toMatchObject({ state: 'ok', found: expect.stringContaining('made at the first start') })
  await writeFile(join(folder, 'file'), '')
  expect(await dataCheck(join(folder, 'file'))).toMatchObject({ state: 'fail' })
})

test('a data folder that others may read is told with its remedy', async () => {
  const data = join(folder, 'data')
  await mkdir(data, { mode: 0o700 })
  expect(await dataCheck(data)).toEqual({ state: 'ok', name: 'data', found: data, remedy: undefined })
  await chmod(data, 0o755)
  expect(await dataCheck(data)).toMatchObject({ state: 'warn', found: expect.stringContaining('mode 755'), remedy: `secrets lie there: chmod 700 ${data}` })
})

test('a token that others may read fails', async () => {
  expect(await tokenCheck(folder)).toMatchObject({ state: 'ok', found: expect.stringContaining('none yet') })
  const file = join(folder, 'admin-token')
  await writeFile(file, 'muslin-x\n', { mode: 0o600 })
  expect(await tokenCheck(folder)).toMatchObject({ state: 'ok' })
  await chmod(file, 0o640)
  expect(await tokenCheck(folder)).toMatchObject({ state: 'fail', found: expect.stringContaining('mode 640'), remedy: `chmod 600 ${file}` })
})

test.each([[5e9, 'ok', '5.0 GB free'], [4.99e9, 'warn', '5.0 GB free'], [0.2e9, 'warn', '0.2 GB free'], [0.05e9, 'fail', '0.1 GB free: nothing more can be kept']] as const)('%d bytes free are %s', (bytes, state, found) => {
  expect(diskFound(bytes)).toMatchObject({ state, found })
})

test('the disk is that of the nearest folder that is there', async () => {
  expect((await diskCheck(join(folder, 'deep', 'data'))).found).toMatch(/^\d+\.\d GB free/)
})
