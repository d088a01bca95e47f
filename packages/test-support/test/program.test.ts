import { realpathSync } from 'node:fs'
import { expect, test } from 'vitest'
import { outputOf, runProgram, tempDirectory } from '../src/index.js'

const from = import.meta.dirname

test('a program’s status and both of its outputs are returned', async () => {
  const source = `console.log('out'); console.error('err'); process.exitCode = 3`
  expect(await runProgram(source, { from })).toEqual({
    status: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  })
})

test('a program that a signal ends has no status', async () => {
  expect((await runProgram(`process.kill(process.pid, 'SIGKILL')`, { from })).status).toBe(null)
})

test('a program gets its directory, its variables and its flags', async () => {
  const cwd = realpathSync(tempDirectory())
  const source = `console.log(process.cwd(), process.env.COLOUR, typeof gc)`
  const options = { from, cwd, env: { COLOUR: 'blue' }, flags: ['--expose-gc'] }
  expect(await outputOf(source, options)).toBe(`${cwd} blue function\n`)
})

test('output is returned only of a program that succeeds and complains of nothing', async () => {
  await expect(outputOf(`console.log('so far'); process.exit(1)`, { from })).rejects.toThrow(
    /status 1:\nso far/,
  )
  await expect(outputOf(`console.error('careful')`, { from })).rejects.toThrow(/careful/)
})

test('programs that wait for their turn all get it', async () => {
  const turns = Array.from({ length: 6 }, (_, i) => outputOf(`console.log(${i})`, { from }))
  expect(await Promise.all(turns)).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n', '5\n'])
})
