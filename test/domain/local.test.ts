import { expect, test } from 'vitest'
import { isLoopback, isThisMachine } from '../../src/domain/local.ts'

test.each(['localhost', 'muslin.localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]'])('%s is loopback, and this machine', (host) => {
  expect([isLoopback(host), isThisMachine(host)]).toEqual([true, true])
})

test.each(['0.0.0.0', '[::]', 'host.docker.internal'])('%s is this machine, and more than loopback', (host) => {
  expect([isLoopback(host), isThisMachine(host)]).toEqual([false, true])
})

test.each(['muslin.test', '10.0.0.1', 'notlocalhost', '127.example.test', '[2001:db8::1]', '::', ''])('%s is another machine', (host) => {
  expect([isLoopback(host), isThisMachine(host)]).toEqual([false, false])
})
