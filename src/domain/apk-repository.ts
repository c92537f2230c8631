/** Where the apks of an image come from. */

export interface ApkRepository {
  /** Without `@`: only what is asked for by this tag comes from it. */
  tag: string | undefined
  url: string
}

/** The repositories of an `/etc/apk/repositories`; comments, folders of the image itself, and what is no http or https URL are left out. */
export function parseRepositories(text: string): ApkRepository[] {
  return text.split('\n').flatMap((line) => {
    const [, tag, url] = /^\s*(?:@(\S+)\s+)?(https?:\/\/\S+)\s*$/.exec(line) ?? []
    return url === undefined ? [] : [{ tag, url: url.replace(/\/+$/, '') }]
  })
}

/** A repository of Alpine's own layout: `https://alpine.example/alpine`, `v3.21`, `main`. Undefined for any other. */
export function alpineRepository(url: string): { before: string; branch: string; name: string } | undefined {
  const [, before, branch, name] = /^(https?:\/\/.+)\/(v\d{1,3}\.\d{1,3}|edge|latest-stable)\/([a-z][a-z0-9-]{0,40})$/.exec(url) ?? []
  return before === undefined || branch === undefined || name === undefined ? undefined : { before, branch, name }
}

/** A path below our root as `apk/BRANCH/REPOSITORY`, and the names of CPUs and files beside it, as they may stand in an address. */
export const APK_PATH = /^apk\/[a-z0-9][a-z0-9.-]{0,60}\/[a-z0-9][a-z0-9-]{0,60}$/
export const APK_ARCH = /^[a-z0-9_]{1,30}$/
export const APK_FILE = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,200}\.apk$/
export const APK_INDEX = 'APKINDEX.tar.gz'
