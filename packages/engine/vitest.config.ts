import { defineConfig } from 'vitest/config'

// Files share their worker’s modules: loading them anew for each file took half of the time.
export default defineConfig({
  test: {
    isolate: false,
    globalSetup: './test/cloud/global-setup.ts',
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
})
