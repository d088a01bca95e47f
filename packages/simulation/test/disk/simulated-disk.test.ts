import { describe, expect, test } from 'vitest'
import { Disk } from '../../src/disk/disk.js'
import type { SimFile } from '../../src/disk/sim-file.js'
import { EVERYTHING, NOTHING, type Survival, someOf, upTo } from '../../src/disk/survival.js'
import { Random } from '../../src/random.js'

const random = () => new Random(1, 'survival')

function written(disk: Disk, path: string, text: string): SimFile {
  const file = disk.createFile(path)
  disk.write(file, new TextEncoder().encode(text), 0)
  return file
}

function textOf(disk: Disk, path: string): string | undefined {
  const file = disk.find(path) === undefined ? undefined : disk.file(path, 'open')
  return file && new TextDecoder().decode(file.read(0, file.length))
}

function syncNames(disk: Disk, path = '/'): void {
  disk.syncDirectory(disk.directory(path, 'open'), disk.order)
}

/** Everything that may be left, by the contents of a path. */
function outcomes(disk: Disk, path: string): Set<string | undefined> {
  const chance = random()
  const found = new Set<string | undefined>()
  for (let i = 0; i < 200; i++) found.add(textOf(disk.afterCrash(someOf(chance)), path))
  return found
}

describe('a simulated disk', () => {
  test('loses what was not synced, names apart from contents', () => {
    const disk = new Disk()
    const file = written(disk, '/a', 'one')
    expect(textOf(disk.afterCrash(NOTHING), '/a')).toBeUndefined()
    expect(textOf(disk.afterCrash(EVERYTHING), '/a')).toBe('one')
    syncNames(disk)
    expect(textOf(disk.afterCrash(NOTHING), '/a')).toBe('')
    file.sync(disk.order)
    disk.write(file, new TextEncoder().encode('two'), 0)
    expect(textOf(disk.afterCrash(NOTHING), '/a')).toBe('one')
    expect(outcomes(disk, '/a')).toEqual(new Set(['one', 'two']))
  })

  test('keeps any version of a sector that was written since the sync', () => {
    const disk = new Disk()
    const file = written(disk, '/a', 'one')
    syncNames(disk)
    file.sync(disk.order)
    for (const text of ['two', 'six']) disk.write(file, new TextEncoder().encode(text), 0)
    expect(outcomes(disk, '/a')).toEqual(new Set(['one', 'two', 'six']))
  })

  test('tears a write between sectors, and no sector', () => {
    const disk = new Disk()
    const file = written(disk, '/a', 'a'.repeat(1024))
    syncNames(disk)
    file.sync(disk.order)
    disk.write(file, new TextEncoder().encode('b'.repeat(1024)), 0)
    const halves = new Set([...outcomes(disk, '/a')].map((text) => `${text?.[0]}${text?.at(-1)}`))
    expect(halves).toEqual(new Set(['aa', 'ab', 'ba', 'bb']))
  })

  test('makes a range durable without what was written elsewhere', () => {
    const disk = new Disk()
    const file = written(disk, '/a', ' '.repeat(1024))
    syncNames(disk)
    file.sync(disk.order)
    disk.write(file, Uint8Array.of(49), 0)
    disk.write(file, Uint8Array.of(50), 600)
    file.syncRange(600, 601, disk.order)
    expect(textOf(disk.afterCrash(NOTHING), '/a')?.trim()).toBe('2')
  })

  test('forgets, after a sync that failed, what a later one is told it synced', () => {
    const disk = new Disk()
    const file = written(disk, '/a', 'one')
    syncNames(disk)
    file.sync(disk.order)
    disk.write(file, new TextEncoder().encode('two'), 0)
    file.failSync(NOTHING)
    file.sync(disk.order)
    expect(textOf(disk, '/a')).toBe('two')
    expect(textOf(disk.afterCrash(EVERYTHING), '/a')).toBe('one')
    // What is written again is written.
    disk.write(file, new TextEncoder().encode('two'), 0)
    file.sync(disk.order)
    expect(textOf(disk.afterCrash(NOTHING), '/a')).toBe('two')
  })

  test('renames whole, or not at all', () => {
    const disk = new Disk()
    disk.makeDirectory('/d')
    syncNames(disk)
    written(disk, '/new', 'new').sync(disk.order)
    written(disk, '/d/old', 'old').sync(disk.order)
    syncNames(disk)
    syncNames(disk, '/d')
    disk.rename('/new', '/d/old')
    const chance = random()
    for (let i = 0; i < 50; i++) {
      const after = disk.afterCrash(someOf(chance))
      const [source, target] = [textOf(after, '/new'), textOf(after, '/d/old')]
      expect([`new old`, `undefined new`]).toContain(`${source} ${target}`)
    }
    syncNames(disk, '/d')
    expect(textOf(disk.afterCrash(NOTHING), '/d/old')).toBe('new')
  })

  test('can lose a file’s old name and keep its new one, and the other way round', () => {
    const disk = new Disk()
    written(disk, '/a', 'x').sync(disk.order)
    syncNames(disk)
    disk.link('/a', '/b')
    disk.unlink('/a')
    const chance = random()
    const left = Array.from({ length: 100 }, () => {
      const after = disk.afterCrash(someOf(chance))
      return `${textOf(after, '/a') ?? '-'}${textOf(after, '/b') ?? '-'}`
    })
    expect(new Set(left)).toEqual(new Set(['x-', 'xx', '-x', '--']))
  })

  test('keeps what came first, and a part of the last change', () => {
    const disk = new Disk()
    const file = written(disk, '/a', 'a'.repeat(2048))
    syncNames(disk)
    file.sync(disk.order)
    disk.write(file, new TextEncoder().encode('b'.repeat(2048)), 0)
    const torn = disk.order
    disk.write(file, new TextEncoder().encode('c'.repeat(2048)), 0)
    const text = textOf(disk.afterCrash(upTo(torn, random())), '/a') ?? ''
    expect(new Set(text)).toEqual(new Set(['a', 'b']))
  })

  test('has zeros where a file was cut and grew again', () => {
    const disk = new Disk()
    const file = written(disk, '/a', 'abc')
    disk.truncate(file, 1)
    disk.write(file, new TextEncoder().encode('x'), 2)
    const survivals: Survival[] = [EVERYTHING, { keeps: (order) => order >= disk.order - 1 }]
    for (const survival of survivals) {
      syncNames(disk)
      expect(textOf(disk.afterCrash(survival), '/a')).toMatch(/^[a\0]\0x$/)
    }
    expect(textOf(disk, '/a')).toBe('a\0x')
  })
})
