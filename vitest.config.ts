import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    setupFiles: ['test/property-seed.ts'],
    pool: 'forks',
    // Its own default leaves a core idle, which on small machines is half of them.
    maxWorkers: '100%',
    // Loading the modules anew for each file took a third of the whole time; no test changes what they hold.
    isolate: false,
    testTimeout: 20_000,
  },
})
