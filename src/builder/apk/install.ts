/** Adds apks to the image that a build runs in: fetched through Muslin, installed without a network, kept as an image. */
import type { Failure } from '../../domain/failure.ts'
import type { Image } from '../images.ts'
import type { Box, Session } from '../session.ts'

export interface Apks {
  /** Whether this image has apk and repositories; undefined where it has not, or where the engine installs nothing. */
  of(session: Session, image: Image): Promise<ImageApks | undefined>
}

/** The apks of an image and of its repositories. */
export interface ImageApks {
  /** Alpine's name of the CPU. */
  arch: string
  /** Paths below Muslin's root, such as `apk/v3.21/main`. */
  repositories: string[]
  /** Names that these repositories have, for what a failure names, best first; none where nothing is known. */
  find(failure: Failure): Promise<string[]>
  /**
   * `image` with these added; names that no repository has are left out and told. The same set is made once, whoever needs it. Throws Failed
   * where the image's Python would not stay the only one, or where apk cannot do it.
   */
  add(session: Session, names: string[], indexUrl: string): Promise<Added>
  /** Which apk owns each of these files of the image; those that none owns are left out. */
  owners(box: Box, paths: string[]): Promise<Map<string, ApkVersion>>
}

export interface ApkVersion { name: string; version: string }

/** `image` is the one that was asked for where all of it was there. */
export interface Added { image: Image; added: ApkVersion[]; unknown: string[] }
