import { defineConfig } from 'vitest/config'

// Files share their worker’s modules: loading them anew for each file took half of the time.
export default defineConfig({ test: { isolate: false } })
