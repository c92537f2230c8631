import { describe, expect, test } from 'vitest'
import { readRecipes } from '../../src/services/recipe-text.ts'
import { EXAMPLE } from '../../tools/recipes-page.ts'

const read = (text: string, project: string | undefined = 'demo') => readRecipes(text, { file: 'demo.toml', origin: 'site', project })

test('a file has what its top says, and a recipe for each table, which name no project but their own or the file\'s', () => {
  const layers = read('project = "Demo_Lib"\napks = ["zlib-dev"]\n\n[env]\nA = "1"\n\n[[recipe]]\nversions = "<2"\nconstraints = ["cython<3"]\n[recipe.limits]\nmemory = "8g"\ntime = 90\n\n[[recipe]]\nproject = "Other"\nskip = "why"\n')
  expect(layers.map(({ project, versions, recipe }) => [project, versions, recipe])).toEqual([
    ['demo-lib', undefined, { apks: ['zlib-dev'], env: { A: '1' } }],
    ['demo-lib', '<2', { constraints: ['cython<3'], limits: { memory: 8 * 1024 ** 3, time: 90 } }],
    ['other', undefined, { skip: 'why' }],
  ])
})

describe('what cannot be used is told by file, key, and what is accepted', () => {
  test.each([
    ['no TOML', 'apks = [', /^demo\.toml, line \d+: it is no TOML/],
    ['an unknown key', 'apk = ["x"]', /demo\.toml: apk is no key of a recipe; accepted: project, versions, targets, note, apks,/],
    ['an unknown limit', '[limits]\nram = "1g"', /limits\.ram is no key/],
    ['an apk that is an option', 'apks = ["--root"]', /apks\.0 cannot be used; accepted: the name of an apk/],
    ['an apk in capitals', 'apks = ["ok", "Zlib"]', /apks\.1 cannot/],
    ['no list', 'apks = "zlib-dev"', /apks cannot be used; accepted: a list of texts/],
    ['the sandbox\'s variable', '[env]\nPATH = "/x"', /env\.PATH belongs to the sandbox; refused are PATH,/],
    ['a variable that loads things', '[env]\nLD_PRELOAD = "/x"', /env\.LD_PRELOAD belongs/],
    ['a variable that is no text', '[env]\nA = 1', /env\.A cannot be used; accepted: text/],
    ['no specifier', 'versions = "2.x"', /versions cannot be used; accepted: a version specifier/],
    ['no target', 'targets = ["cp313 "]', /targets\.0 cannot be used; accepted: a target's name/],
    ['a URL as a constraint', 'constraints = ["x @ https://upstream.example/x.whl"]', /constraints\.0 cannot be used; accepted: a requirement/],
    ['an option as a requirement', 'requires = ["x --index-url=y"]', /requires\.0 cannot/],
    ['a way out of the sdist', 'patches = [{ name = "p", text = "--- a/../x\\n+++ b/../x\\n@@ -1 +1 @@\\n-a\\n+b\\n" }]', /patches\.0\.text names a\/\.\.\/x; accepted: a\/ and b\//],
    ['a patch with a path for a name', 'patches = [{ name = "../p", text = "" }]', /patches\.0\.name cannot be used; accepted: a file name/],
    ['no size', 'limits = { memory = "lots" }', /limits\.memory cannot be used; accepted: a size such as "512m"/],
    ['no time', 'limits = { time = "0s" }', /limits\.time cannot be used; accepted: a duration/],
    ['no yes or no', 'network = "yes"', /network cannot be used; accepted: true or false/],
    ['another outcome', 'expected = "wheel"', /expected cannot be used; accepted: "native" or "pure"/],
    ['a skip without a reason', 'skip = true', /skip cannot be used; accepted: the reason, as text/],
    ['a fault in a later recipe', 'apks = ["x"]\n[[recipe]]\nversions = "<"', /demo\.toml: recipe 1, versions cannot/],
    ['a single [recipe]', '[recipe]\napks = ["x"]', /recipe is no list of tables; write \[\[recipe\]\]/],
    ['nothing', '# nothing\n', /it holds no recipe/],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'bad-recipe', detail: expect.stringMatching(message) }))
  })

  test('no project at all', () => {
    expect(() => readRecipes('apks = ["x"]', { file: 'x.toml', origin: 'site' })).toThrow(/project is missing/)
  })

  test('all faults at once', () => {
    expect(() => read('apks = ["A"]\nnetwork = 1')).toThrow(/apks\.0 .*; network /)
  })
})

test('the example of docs/recipes.md is one', () => {
  expect(read(EXAMPLE)).toMatchObject([
    { versions: undefined, recipe: { apks: ['libxml2-dev', 'libxslt-dev'], expected: 'native', env: { WITH_XML_CATALOG: '1' } } },
    { versions: '<2', recipe: { constraints: ['cython<3', 'setuptools<60'] } }, { targets: ['*_aarch64'], recipe: { skip: expect.any(String) } },
    { versions: '>=3', recipe: { check: expect.stringContaining('assert demo'), configSettings: { 'setup-args': ['-Dsystem-xml=true'] }, limits: { memory: 8 * 1024 ** 3, time: 3600 } } },
  ])
})
