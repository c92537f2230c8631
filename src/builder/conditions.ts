/** What a build is made of, and what each of its rounds has besides. */
import type { BuildPlan } from '../domain/plan.ts'
import type { Target } from '../domain/target.ts'
import type { ApkVersion } from './apk/install.ts'
import type { Image, ReadyPair } from './images.ts'

export interface Source {
  plan: BuildPlan
  /** The sdist on the server. */
  path: string
  size: number
  /** Its top-level folder. */
  folder: string
}

/** What a job builds with, before anything is added. */
export interface Begin {
  source: Source
  target: Target
  ready: ReadyPair
  /** Base URL at which the fetch container reaches Muslin. */
  indexUrl: string
}

/** What one round builds with. */
export interface Conditions {
  image: Image
  /** What was added to the target's own builder image. */
  apks: ApkVersion[]
  requires: string[]
  /** Requirement lines that all build requirements are held to. */
  constraints: string[]
  /** Build requirements were uploaded before it, seconds since 1970. */
  until: number | undefined
  /** For commands that run the sdist's own code. */
  environment: Record<string, string>
}

/** A source, and what it is built with in this round. */
export interface Begun extends Source { conditions: Conditions }
