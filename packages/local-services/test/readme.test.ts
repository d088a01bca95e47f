import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { findDynamoDb } from '../src/index.js'
import { tempFolder } from '../src/internal/temp-folder.js'

const home = fileURLToPath(new URL('..', import.meta.url))
const dynamoDb = await findDynamoDb()

test.skipIf(dynamoDb !== 'dynoxide')('runs the example of the README', async () => {
  const readme = fs.readFileSync(path.join(home, 'README.md'), 'utf8')
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const folder = tempFolder('readme')
  onTestFinished(() => folder.remove())
  const program = path.join(folder.path, 'example.mjs')
  const module = new URL('../dist/index.js', import.meta.url).href
  fs.writeFileSync(program, example.replace("'@firn/local-services'", `'${module}'`))
  const run = await promisify(execFile)(process.execPath, [program])
  expect(run.stdout).toBe('200 1 0\n')
})
