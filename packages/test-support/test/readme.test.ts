import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { checkReadme, tempDirectory } from '../src/index.js'

/** Returns the test folder of a package whose README has this example. */
function packageWith(example: string): string {
  const directory = tempDirectory()
  fs.writeFileSync(
    path.join(directory, 'README.md'),
    `# A package\n\n\`\`\`js\n${example}\n\`\`\`\n`,
  )
  const tests = path.join(directory, 'test')
  fs.mkdirSync(tests)
  return tests
}

test('an example that prints what it says passes', async () => {
  await checkReadme(
    packageWith(`
      for (const n of [1, 2]) console.log(n)      // 1, then 2
      console.log('took', 7 * 6, 'ms')            // took … ms
    `),
  )
})

test('an example that prints something else fails, and so does one that says nothing', async () => {
  await expect(checkReadme(packageWith(`console.log(1) // 2`))).rejects.toThrow()
  await expect(checkReadme(packageWith(`console.log('a.b') // a…c`))).rejects.toThrow()
  await expect(checkReadme(packageWith(`console.log(1)`))).rejects.toThrow()
})
