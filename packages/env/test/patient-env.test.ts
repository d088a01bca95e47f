import { expect, test } from 'vitest'
import { patientEnv } from '../src/testing.js'

test('ends a sleep in the background by its signal alone, and others in time', async () => {
  const caller = new AbortController()
  const slept: string[] = []
  const background = patientEnv
    .sleep(0, caller.signal, { background: true })
    .finally(() => slept.push('background'))
  await patientEnv.sleep(1).then(() => slept.push('foreground'))
  caller.abort('enough')
  await expect(background).rejects.toBe('enough')
  expect(slept).toEqual(['foreground', 'background'])
  await expect(patientEnv.sleep(1, caller.signal, { background: true })).rejects.toBe('enough')
})
