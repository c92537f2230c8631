/** `muslin doctor`: whether a server with these settings would find what it needs. It looks, and changes nothing. */
import { resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Check } from './cli/context.ts'
import { askPip } from './config/pip.ts'
import type { Settings } from './config/settings.ts'
import { builderChecks } from './doctor/builders.ts'
import { guarded, ok } from './doctor/check.ts'
import { dataCheck, diskCheck, nodeCheck, tokenCheck } from './doctor/machine.ts'
import { portChecks } from './doctor/port.ts'
import { clockCheck, findUpstreams, upstreamChecks } from './doctor/upstream.ts'
import type { Clock } from './services/ports.ts'

/** Never throws: what goes wrong is a check that fails. The checks come in the order in which a start would need them. */
export async function doctor(settings: Settings, { log, clock }: { log: Logger; clock: Clock }): Promise<Check[]> {
  const data = resolve(settings.data)
  const source = askPip(process.env).then((pip) => findUpstreams({ settings, pip, log, clock }))
  const groups = await Promise.all([
    guarded('node', () => nodeCheck(process.versions.node)),
    guarded('data', () => dataCheck(data)),
    guarded('token', () => tokenCheck(data)),
    guarded('disk', () => diskCheck(data)),
    guarded('port', () => portChecks({ data, port: settings.port, host: settings.host })),
    guarded('upstream', async () => settings.offline ? ok('upstream', 'not asked: the setting offline says so') : upstreamChecks(await source)),
    guarded('clock', async () => settings.offline ? [] : source.then((known) => clockCheck(known, clock), () => [])),
    guarded('builder', () => builderChecks({ settings, source, log })),
  ])
  return groups.flat()
}
