import { expect, test } from 'vitest'
import { CorruptionError, FormatVersionError, readUndamaged } from '../src/index.js'

const damaged = new CorruptionError('damaged')
const newer = new FormatVersionError('format 9')
const missing = new Error('gone')

test.each([
  ['sound', ['a'], 'a'],
  ['damaged on its way', [damaged, 'a'], 'a'],
  ['of a format that was damage', [newer, 'a'], 'a'],
  ['damaged where it is', [damaged, damaged], damaged],
  ['of a newer format', [newer, newer], newer],
  ['damaged twice, once in its format', [newer, damaged], damaged],
  ['damaged twice, at last in its format', [damaged, newer], damaged],
  ['gone', [missing], missing],
  ['damaged, and then gone', [damaged, missing], missing],
] as const)('what is %s', async (_, answers, expected) => {
  let reads = 0
  const read = readUndamaged(async () => {
    const answer = answers[reads++]
    if (answer instanceof Error) throw answer
    return answer
  })
  if (expected instanceof Error) await expect(read).rejects.toBe(expected)
  else expect(await read).toBe(expected)
  expect(reads).toBe(answers.length)
})
