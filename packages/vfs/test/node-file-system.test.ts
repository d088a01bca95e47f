import fs from 'node:fs'
import path from 'node:path'
import { tempDirectory } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { nodeFileSystem } from '../src/index.js'
import { FaultyFileSystem, makeNodeFileSystem } from '../src/testing.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe.each([
  ['with O_DSYNC', nodeFileSystem],
  ['without O_DSYNC', makeNodeFileSystem(undefined)],
  ['wrapped', new FaultyFileSystem()],
])('the system’s files, %s', (_, files) => {
  test('are written and read at positions, and in pieces', async () => {
    const name = path.join(tempDirectory(), 'file')
    const file = files.openSync(name, 'ensure')
    file.writeSync([bytes(1, 2), bytes(3)], 0, { durable: true })
    await file.write([bytes(4), bytes(), bytes(5)], 3, { durable: true })
    await file.truncate(5)
    await file.syncData()
    await file.close()
    expect(await files.readFile(name)).toEqual(bytes(1, 2, 3, 4, 5))
    expect(files.readFileSync(name, 1, 3)).toEqual(bytes(2, 3))
    expect(await files.readFile(name, 3, 99)).toEqual(bytes(4, 5))
    expect(files.readFileSync(name, 7)).toEqual(bytes())
  })

  test('are created once, and removed once', async () => {
    const name = path.join(tempDirectory(), 'file')
    await files.createFile(name, [bytes(1), bytes(2)])
    await expect(files.createFile(name, [])).rejects.toMatchObject({ code: 'EEXIST' })
    expect(() => files.createFileSync(name, [])).toThrow(/EEXIST/)
    expect(files.readFileSync(name)).toEqual(bytes(1, 2))
    expect([await files.remove(name), await files.remove(name)]).toEqual([true, false])
    expect(files.removeSync(name)).toBe(false)
  })

  test('go with their directory, and are no links', async () => {
    const directory = path.join(tempDirectory(), 'a', 'b')
    await files.makeDirectories(directory)
    await files.createFile(path.join(directory, 'file'), [bytes(1)])
    fs.symlinkSync('file', path.join(directory, 'link'))
    const link = files.open(path.join(directory, 'link'), 'read')
    await expect(link).rejects.toMatchObject({ code: 'ELOOP' })
    expect((await files.list(directory)).map(({ name }) => name).sort()).toEqual(['file', 'link'])
    await files.removeAll(path.dirname(directory))
    await files.removeAll(path.dirname(directory))
    expect(fs.existsSync(directory)).toBe(false)
  })
})
