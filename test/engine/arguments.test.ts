import { expect, it } from 'vitest'
import { createArguments, execArguments, idleUser } from '../../src/engine/arguments.ts'
import { reportedExit } from '../../src/engine/commands.ts'
import type { RunSpec } from '../../src/services/ports.ts'

const run: RunSpec = {
  image: 'sha256:abc', label: 'job 7 build', user: '1000:1001', network: 'none', writable: ['/area', '/tmp'],
  limits: { cpu: 8, memoryBytes: 2 ** 30 + 0.5, diskBytes: 2 ** 20, processes: 512 },
}
const given = { name: 'muslin-a-b', instance: 'i', process: 'p', network: 'none', isolatedDns: false, cores: 2 }

function valuesOf(args: string[], option: string): string[] {
  return args.flatMap((arg, at) => arg === option ? [args[at + 1] ?? ''] : [])
}

it('takes everything from a run that it does not need', () => {
  const args = createArguments(run, given)
  expect(args[0]).toBe('create')
  expect(args).toContain('--pull=never')
  expect(args).toContain('--read-only')
  expect(valuesOf(args, '--cap-drop')).toEqual(['ALL'])
  expect(valuesOf(args, '--security-opt')).toEqual(['no-new-privileges'])
  expect(valuesOf(args, '--network')).toEqual(['none'])
  for (const option of ['--volume', '-v', '--mount', '--privileged', '--cap-add', '-i', '--publish']) expect(args).not.toContain(option)
})

it('limits memory without swap, processes, disk, and cores to what there is', () => {
  const args = createArguments(run, given)
  expect(valuesOf(args, '--memory')).toEqual(['1073741824'])
  expect(valuesOf(args, '--memory-swap')).toEqual(['1073741824'])
  expect(valuesOf(args, '--pids-limit')).toEqual(['515'])
  expect(valuesOf(args, '--cpus')).toEqual(['2'])
  expect(valuesOf(args, '--tmpfs')).toEqual(['/area', '/tmp'].map((path) => `${path}:rw,exec,nosuid,nodev,mode=1777,uid=1000,gid=1001,size=1048576`))
})

it('labels a run, and idles as a user that the run cannot kill', () => {
  const args = createArguments(run, given)
  expect(valuesOf(args, '--label')).toEqual(['muslin.instance=i', 'muslin.process=p', 'muslin.run=job 7 build'])
  expect(valuesOf(args, '--user')).toEqual(['65534:65534'])
  expect(idleUser('65534:65534')).not.toBe('65534:65534')
})

it('asks no resolver of the host from the closed fetch network', () => {
  expect(valuesOf(createArguments(run, given), '--dns')).toEqual([])
  expect(valuesOf(createArguments(run, { ...given, network: 'n', isolatedDns: true }), '--dns')).toEqual(['127.0.0.1'])
})

it('passes a command as it is, after what is the client\'s', () => {
  const args = execArguments('c', '1:2', ['sh', '-c', 'echo "$A"'], { env: { A: 'x y=\'"' }, cwd: '/w' })
  expect(args).toEqual(['exec', '--user', '1:2', '--workdir', '/w', '--env', 'A=x y=\'"', 'c', 'sh', '-c', expect.stringContaining('(exec "$@") 2>&1'), 'sh', 'sh', '-c', 'echo "$A"'])
})

it('believes the report on how a command ended only where it is the last word', () => {
  expect(reportedExit('muslin-exit 0\n')).toBe(0)
  expect(reportedExit('tar: no such file\nmuslin-exit 2\n')).toBe(2)
  for (const text of ['', 'muslin-exit 0\nerror during connect: EOF\n', 'muslin-exit \n', 'xmuslin-exit 0\n']) expect(reportedExit(text)).toBeUndefined()
})
