import fs from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import { outputOf } from './program.js'
import { tempDirectory } from './temp-directory.js'

/**
 * Runs the first example of a README, that of the package whose test folder is `from`, in an empty
 * directory. Each `console.log(…) // text` must print that text; `…` in it stands for any text,
 * and a line that runs more than once says `// first, then second`.
 */
export async function checkReadme(from: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const readme = fs.readFileSync(path.join(from, '../README.md'), 'utf8')
  const example = /^```[jt]s\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? ''
  const said = [...example.matchAll(/console\.log\(.*\/\/ (.*)$/gm)]
    .flatMap(([, text = '']) => text.split(', then '))
    .map((text) => (text.includes('…') ? expect.stringMatching(pattern(text)) : text))
  expect(said).not.toEqual([])
  const printed = await outputOf(example, { from, cwd: tempDirectory(), env })
  expect(printed.trimEnd().split('\n')).toEqual(said)
}

function pattern(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
