import { expect, test } from 'vitest'
import { rootOfIndex } from '../../../src/domain/lock/own-index.ts'

test.each([
  ['https://muslin.example/simple/', 'https://muslin.example/'],
  ['https://muslin.example:8443/x/y/simple', 'https://muslin.example:8443/x/y/'],
  ['http://user:secret@muslin.example/finished/simple/', 'http://muslin.example/'],
  ['http://muslin.example/target/cp313-musllinux_1_2_x86_64/simple/', 'http://muslin.example/'],
  ['http://muslin.example/before/2026-01-01/simple/', 'http://muslin.example/'],
  ['https://muslin.example/simple/?a=b', 'https://muslin.example/'],
  ['https://muslin.example/root/pypi/+simple/', undefined],
  ['https://muslin.example/', undefined],
  ['file:///srv/simple/', undefined],
  ['../simple', undefined],
])('%s is served by %s', (index, root) => expect(rootOfIndex(index)).toBe(root))
