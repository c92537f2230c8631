/** Names for a made-up list of projects as large as the real one: the same ones each time. */
const SYLLABLES = ['al', 'ber', 'co', 'den', 'el', 'fi', 'gra', 'hu', 'in', 'ju', 'ka', 'lo', 'mi', 'nu', 'or', 'py', 'qui', 'ra', 'sto', 'tu']

/** `count` different valid names, each normalised already, in no order. */
export function* madeUpNames(count: number): Generator<string> {
  for (let index = 0; index < count; index++) {
    // A step that shares no divisor with the number of syllables to the fifth visits each once.
    let rest = (index * 1_234_567) % 20 ** 5
    const words: string[] = []
    for (let place = 0; place < 5; place++) {
      words.push(SYLLABLES[rest % 20] ?? '')
      rest = Math.floor(rest / 20)
    }
    yield `${words[0]}${words[1]}-${words[2]}${words[3]}${words[4]}`
  }
}
