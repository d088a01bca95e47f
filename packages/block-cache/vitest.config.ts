import { defineConfig } from 'vitest/config'

// Files share their worker’s modules: loading them anew for each file took half of the time.
// Properties run many cases; a busy machine may take its time over them.
export default defineConfig({ test: { isolate: false, testTimeout: 60_000 } })
