/** `docs/recipes.md`: how recipes are written. The keys come from the schema, and a test reads the example. */
import { z } from 'zod'
import { REFUSED_VARIABLES } from '../src/domain/recipe-checks.ts'
import { RecipeTable } from '../src/services/recipe-schema.ts'

export const EXAMPLE = `note = "Its build looks for libxml2 by pkg-config."
apks = ["libxml2-dev", "libxslt-dev"]
expected = "native"

[env]
WITH_XML_CATALOG = "1"

[[recipe]]
versions = "<2"
note = "Its Cython sources are of 2019."
constraints = ["cython<3", "setuptools<60"]

[[recipe]]
targets = ["*_aarch64"]
skip = "it has assembly for x86 alone"

[[recipe]]
versions = ">=3"
check = '''
import demo
assert demo.parse("<a/>") is not None
'''

[recipe.configSettings]
setup-args = ["-Dsystem-xml=true"]

[recipe.limits]
memory = "8g"
time = "1h"
`

export function recipesPage(made: string): string {
  return `# Recipes

${made}

A recipe says what a project needs in order to build, beyond what its sdist says itself. Three kinds are merged for each release and
target, later ones over earlier ones:

1. **built-in**: \`builders/recipes/PROJECT.toml\`, those that come with Muslin;
2. **learnt**: what builds of this site found out;
3. **site**: what people here set.

Lists are united in this order, tables are merged key by key, and everything else is overridden. An entry that begins with \`!\` takes the rest of
it out of earlier ones (\`apks = ["!openssl-dev", "libressl-dev"]\`), \`requires\` takes the place of an earlier one as a whole, and \`skip = ""\` lifts an earlier skip.

The merged recipe is a part of a job's key: where it changes, the same release is another job. What failed with the older recipe is promised again,
what waits is built by the newer one, what runs goes on, and a wheel that is there stays.

Recipes hold nothing secret: whoever reaches the server can read them, by its pages and its API, values of \`env\` and \`configSettings\` too.

## A file

\`\`\`toml
${EXAMPLE}\`\`\`

The keys at the top are one recipe, each \`[[recipe]]\` is a further one. Where several fit a release and target they are merged in the order of
the file. A file that is imported names its projects by \`project = "NAME"\`, at the top for all of it or in each \`[[recipe]]\`; a built-in file is named by its project.

| Key | Means | Shape |
|---|---|---|
${rows().join('\n')}

Sizes and durations are written as in the settings: \`"512m"\`, \`"8g"\`, \`"90s"\`, \`"30m"\`, \`"2h"\`. Names of apks match \`^[a-z0-9][a-z0-9+._:-]*$\`, so that none can be an option of apk's.
A patch is a unified diff whose files are named \`a/…\` and \`b/…\` and lie inside the sdist; renames, links and binary patches are refused.
The build is planned from the files as patches leave them (\`pyproject.toml\`, \`setup.py\`, \`Cargo.lock\` and their like), and METADATA is what the patched build says. Which languages and generators it has is told by
the sdist alone: where a patch brings the first source of a language, name its compiler in \`apks\`, and \`expected = "native"\`.
Variables that belong to the sandbox are refused: ${REFUSED_VARIABLES}.

\`network = true\` opens the network to code of the sdist, in containers alone: set it for projects that you trust. It is shown on the job's page and kept on the record.

## How builds learn

When a build fails for want of something, rules read its log, look up what Alpine calls the missing thing, and the build begins anew with it, three
times at most. What worked in the end is kept as a learnt recipe, with what failed in each round as its evidence: the apks for all releases of the project, since
the next one includes the same headers; build requirements and compiler options for that release alone, since they are of its time. Nothing is
learnt about what a person wrote: where a site's recipe has \`apks = ["!x"]\`, no build brings \`x\` back. A learnt recipe is taken back by \`muslin recipe remove ID\`, or by **Revert** on its page.

A build that failed in spite of all this shows on its page the apks that may help: a button adds one to the site's recipe and builds anew.

## On the command line

\`\`\`
muslin recipe show cffi                       # all layers of a project
muslin recipe list                            # what this site has of its own
muslin recipe set demo --apk libxml2-dev --env WITH_XML=1 --versions '>=2'
muslin recipe set demo --skip 'its client is for glibc alone'
muslin recipe set demo.toml                   # by a file
muslin recipe export > recipes.toml           # learnt ones too
muslin recipe import recipes.toml
muslin recipe remove 7
muslin plan requirements.txt --runtime-apks   # what the image of the wheels' users must hold: apk add …
\`\`\`

\`set\` and \`import\` take the place of this site's recipe for the same project, versions and targets. On the server they are \`/ui/recipes\` and, in the JSON
API, \`/api/v1/recipes\`.

The projects that most want a recipe have a built-in one. cffi has none: what it lacks is found by its first build, and known from then on.
`
}

function rows(): string[] {
  const { properties = {} } = z.toJSONSchema(RecipeTable, { io: 'input' }) as { properties?: Record<string, Shape> }
  return Object.entries(properties).map(([key, shape]) => `| \`${key}\` | ${(shape.description ?? '').replaceAll('|', '\\|')} | ${words(shape)} |`)
}

interface Shape { type?: string; description?: string; enum?: string[]; anyOf?: Shape[]; items?: Shape; properties?: Record<string, Shape>; additionalProperties?: Shape | boolean }

/** The shape of a value in words. */
function words({ type, enum: choices, anyOf, items, properties, additionalProperties }: Shape): string {
  if (choices) return choices.map((choice) => `\`"${choice}"\``).join(' or ')
  if (anyOf) return [...new Set(anyOf.map(words))].join(' or ')
  if (type === 'array') return items?.properties ? `list of tables with ${keys(items.properties)}` : 'list of texts'
  if (type === 'object' && properties) return `table with ${keys(properties)}`
  if (type === 'object') return `table of ${typeof additionalProperties === 'object' ? words(additionalProperties).replace('text', 'texts') : 'texts'}`
  return type === 'boolean' ? '`true` or `false`' : type === 'number' ? 'number' : 'text'
}

function keys(properties: Record<string, Shape>): string {
  return Object.keys(properties).map((key) => `\`${key}\``).join(', ')
}
