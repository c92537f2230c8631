/** Labels on everything we make in an engine: by them a later process finds what a dead one left behind. */
export const LABEL = { instance: 'muslin.instance', process: 'muslin.process', run: 'muslin.run', digest: 'muslin.digest', key: 'muslin.key' } as const
