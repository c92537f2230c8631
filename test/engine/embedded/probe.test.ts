import { homedir } from 'node:os'
import { expect, it } from 'vitest'
import { findInterpreters } from '../../../src/engine/embedded/interpreters.ts'
import { launcherOf } from '../../../src/engine/embedded/launcher.ts'
import { explain, probeSandbox } from '../../../src/engine/embedded/probe.ts'

const launcher = '/nowhere/python3'
const failures = ['bubblewrap: setting up uid map: Permission denied', 'unshare: unshare failed: Operation not permitted']
const settings = (values: Record<string, string>) => (name: string) => values[name]

it.each<[string, Record<string, string>, boolean, boolean, RegExp]>([
  ['switched off', { 'user/max_user_namespaces': '0' }, true, false, /sysctl -w user\.max_user_namespaces=/],
  ['for root alone', { 'kernel/unprivileged_userns_clone': '0' }, true, false, /sysctl -w kernel\.unprivileged_userns_clone=1/],
  ['by AppArmor', { 'kernel/apparmor_restrict_unprivileged_userns': '1' }, false, false, /apt-get install bubblewrap.*apparmor_restrict_unprivileged_userns=0/],
  ['by AppArmor, with bubblewrap', { 'kernel/apparmor_restrict_unprivileged_userns': '1' }, true, false, /^AppArmor forbids user namespaces: run sysctl/],
  ['in a container', {}, true, true, /container without privileges.*--privileged/],
  ['nothing there', {}, false, false, /apt-get install bubblewrap/],
  ['nothing known', {}, true, false, /^neither bubblewrap nor unshare works/],
])('says what to do about a sandbox that cannot be made: %s', (_, values, bubblewrap, container, said) => {
  const why = explain({ failures, bubblewrap, sysctl: settings(values), container })
  expect(why).toMatch(said)
  expect(why).toContain('Operation not permitted')
  expect(why).not.toContain('\n')
})

it('makes no box where none is wanted', async () => {
  expect(await probeSandbox({ isolation: 'none', launcher })).toMatchObject({ ok: true, how: 'none' })
})

it('gives a way or a reason on any machine', async () => {
  const found = await findInterpreters({ env: process.env, home: homedir(), named: [] })
  const probe = await probeSandbox({ isolation: 'sandbox', launcher: launcherOf(found) ?? launcher })
  expect(probe.ok ? probe.how : 'none').toMatch(probe.ok ? /^(bubblewrap|unshare)$/ : /none/)
  expect(probe.why).toMatch(/^[^\n]{10,}$/)
})
