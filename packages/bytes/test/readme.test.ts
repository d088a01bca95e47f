import { checkReadme } from '@firn/test-support'
import { test } from 'vitest'

test('the example of the README runs and prints what its comments say', async () => {
  await checkReadme(import.meta.dirname)
})
