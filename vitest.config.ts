import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    setupFiles: ['test/property-seed.ts'],
    pool: 'forks',
    testTimeout: 20_000,
  },
})
