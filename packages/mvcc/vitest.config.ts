import { defineConfig } from 'vitest/config'

// Properties run many cases; a busy machine may take its time over them.
export default defineConfig({ test: { testTimeout: 60_000 } })
