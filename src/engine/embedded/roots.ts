/** What a box of the embedded engine shows beside the machine's own folders: interpreters, compilers, scripts. Types alone. */
import type { ImageSource } from '../../services/ports.ts'

/** Makes the embedded engine's images: not archives, but folders of this machine that are bound into a box. */
export interface Roots {
  /** Makes one ready by its content and says its digest. Throws `image-unavailable`. */
  image(source: ImageSource): Promise<{ ref: string; digest: string }>
  /** The digest that `image` would answer, without making it; undefined where it cannot be made or its interpreter is gone. */
  digest(source: ImageSource): Promise<string | undefined>
  /** What a box of this image shows. Throws `image-unavailable` for a reference that `image` did not answer. */
  root(ref: string): Root
}

export interface Root {
  /**
   * Files and folders of this machine, shown read-only in this order over what every box has, so that a later one may cover a part of an
   * earlier one. The folders above `to` are made where they are absent. The box's user reads them by their own modes.
   */
  binds: { from: string; to: string }[]
  /** The environment under that of each command: PATH and what the interpreter and the compiler need. */
  env: Record<string, string>
}
