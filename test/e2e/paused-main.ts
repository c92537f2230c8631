/** The real program with one port instrumented: the transaction that publishes never begins, so that a test can kill it there. */
import { main } from '../../src/main.ts'

await main(process.argv.slice(2), {
  wrap: (ports) => ({
    ...ports,
    store: {
      ...ports.store,
      wheels: {
        ...ports.store.wheels,
        publish: () => {
          console.log('paused between blob and transaction')
          return new Promise(() => undefined)
        },
      },
    },
  }),
})
