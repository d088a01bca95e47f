import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: './test/cloud/global-setup.ts',
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
})
