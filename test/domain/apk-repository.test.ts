import { expect, test } from 'vitest'
import { alpineRepository, APK_ARCH, APK_FILE, APK_PATH, parseRepositories } from '../../src/domain/apk-repository.ts'

test('the lines of an image\'s file', () => {
  expect(parseRepositories(`# a comment
https://alpine.example/alpine/v3.21/main
https://alpine.example/alpine/v3.21/community/

@edge https://alpine.example/alpine/edge/testing
/media/cdrom/apks
ftp://alpine.example/alpine/v3.21/main
v3 https://alpine.example/alpine/v3.23/main
`)).toEqual([
    { tag: undefined, url: 'https://alpine.example/alpine/v3.21/main' },
    { tag: undefined, url: 'https://alpine.example/alpine/v3.21/community' },
    { tag: 'edge', url: 'https://alpine.example/alpine/edge/testing' },
  ])
})

test.each([
  ['https://alpine.example/alpine/v3.21/main', { before: 'https://alpine.example/alpine', branch: 'v3.21', name: 'main' }],
  ['http://localhost:8080/edge/testing', { before: 'http://localhost:8080', branch: 'edge', name: 'testing' }],
  ['https://alpine.example/v3.21', undefined],
  ['https://alpine.example/os', undefined],
  ['https://alpine.example/v3.21/Main', undefined],
  ['https://alpine.example/v3.21/main?x', undefined],
])('%s', (url, expected) => { expect(alpineRepository(url)).toEqual(expected) })

test('addresses hold plain names alone', () => {
  expect(['apk/v3.21/main', 'apk/v3.21-0123456789ab/main', 'apk/other/0123456789ab'].every((path) => APK_PATH.test(path))).toBe(true)
  expect(['apk/../main', 'apk/v3.21', 'apk/v3.21/main/x', 'apk/.git/main', 'apk/v3.21/..'].some((path) => APK_PATH.test(path))).toBe(false)
  expect([APK_ARCH.test('x86_64'), APK_ARCH.test('..'), APK_ARCH.test('x86/64')]).toEqual([true, false, false])
  expect(['zlib-1.3.1-r0.apk', 'libstdc++-13.2.1_git20240309-r0.apk', 'x-1.0~abc-r0.apk'].every((file) => APK_FILE.test(file))).toBe(true)
  expect(['.apk', '../x.apk', 'a/b.apk', 'x.apk.part', 'x.tar.gz', '-x.apk'].some((file) => APK_FILE.test(file))).toBe(false)
})
