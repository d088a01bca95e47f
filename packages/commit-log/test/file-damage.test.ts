import fs from 'node:fs'
import path from 'node:path'
import { CorruptionError, FormatVersionError } from '@firn/env'
import { LONG, tempDirectory } from '@firn/test-support'
import { FaultyFileSystem } from '@firn/vfs/testing'
import { describe, expect, test, vi } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import { crashImage, describeEntries, fill, readAll, segmentPaths } from './file-log.js'
import { newEntry } from './fixtures.js'

// Thousands of opens: seconds on a machine that has other things to do.
vi.setConfig({ testTimeout: 600_000 })

const ENTRIES = LONG ? 24 : 4

/** What opening and reading gives: entries as text, or `undefined` for a typed error. */
async function outcome(directory: string, mode: 'read' | 'write'): Promise<string[] | undefined> {
  try {
    const log = await FileCommitLog.open(directory, { mode })
    try {
      return describeEntries(await readAll(log))
    } finally {
      await log.close()
    }
  } catch (error) {
    if (error instanceof CorruptionError || error instanceof FormatVersionError) return undefined
    throw error
  }
}

describe('a log that was closed', () => {
  async function closed(): Promise<{ directory: string; entries: string[]; segment: string }> {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory)
    const entries = describeEntries(await fill(log, 1, ENTRIES))
    await log.close()
    return { directory, entries, segment: segmentPaths(directory)[0] as string }
  }

  test('takes no more room than its entries, and reads the same without a lock', async () => {
    const { directory, entries, segment } = await closed()
    expect(fs.statSync(segment).size).toBe(48 + ENTRIES * (56 + 20) + 56)
    expect(await outcome(directory, 'read')).toEqual(entries)
  })

  test('with any bit flipped is whole, or a typed error: nothing is lost unnoticed', async () => {
    const { directory, entries, segment } = await closed()
    const bytes = fs.readFileSync(segment)
    let errors = 0
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
      fs.writeFileSync(segment, damaged)
      const found = await outcome(directory, 'read')
      if (found === undefined) errors++
      else expect(found).toEqual(entries)
    }
    // All but the flips in the frame that says that the log was closed.
    expect(errors).toBeGreaterThanOrEqual((bytes.length - 56) * 8)
  })

  test('with any byte damaged opens for writing whole, or not at all', async () => {
    const { directory, entries, segment } = await closed()
    const bytes = fs.readFileSync(segment)
    const copy = path.join(tempDirectory(), 'copy')
    for (let at = 0; at < bytes.length; at += LONG ? 1 : 7) {
      fs.cpSync(directory, copy, { recursive: true })
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] as number) ^ 0xff
      fs.writeFileSync(segmentPaths(copy)[0] as string, damaged)
      for (let attempt = 1; attempt <= 2; attempt++) {
        const found = await outcome(copy, 'write')
        if (found !== undefined) expect(found).toEqual(entries)
        else expect(fs.readFileSync(segmentPaths(copy)[0] as string)).toEqual(damaged)
      }
      fs.rmSync(copy, { recursive: true })
    }
  })

  test('cut to any length is whole, or a typed error', async () => {
    const { directory, entries, segment } = await closed()
    const bytes = fs.readFileSync(segment)
    for (let length = 0; length < bytes.length; length++) {
      fs.writeFileSync(segment, bytes.subarray(0, length))
      const found = await outcome(directory, 'read')
      if (found !== undefined) expect(found).toEqual(entries)
      expect(found === undefined).toBe(length < bytes.length - 56)
    }
    // Who tries again to write to it finds out again.
    fs.writeFileSync(segment, bytes.subarray(0, 48 + 76))
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await outcome(directory, 'write')).toBeUndefined()
    }
    fs.rmSync(segment)
    expect(await outcome(directory, 'read')).toBeUndefined()
    expect(await outcome(directory, 'write')).toBeUndefined()
  })

  test('is told from one by the note of its lock, which never hurts when it is old', async () => {
    const { directory } = await closed()
    const log = await FileCommitLog.open(directory)
    await fill(log, ENTRIES + 1, ENTRIES + 3)
    const image = crashImage(directory, path.join(tempDirectory(), 'image'))
    await log.close()
    const note = fs
      .readdirSync(directory)
      .filter((name) => name.startsWith('LOCK-'))
      .sort()[0]
    fs.copyFileSync(path.join(directory, note as string), path.join(image, 'LOCK-1'))
    expect(await outcome(image, 'write')).toHaveLength(ENTRIES + 3)
  })
})

describe('a log whose process died', () => {
  test('30: cut to any length keeps its first entries, whole, and goes on', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory)
    const entries = describeEntries(await fill(log, 1, ENTRIES))
    const image = crashImage(directory, path.join(tempDirectory(), 'image'))
    await log.close()
    const [segment] = segmentPaths(image)
    const bytes = fs.readFileSync(segment as string)
    const end = 48 + ENTRIES * (56 + 20)
    expect(bytes.length).toBeGreaterThan(end)
    const copy = path.join(tempDirectory(), 'copy')
    for (let length = 48; length <= end; length += LONG ? 1 : 7) {
      fs.cpSync(image, copy, { recursive: true })
      fs.writeFileSync(segmentPaths(copy)[0] as string, bytes.subarray(0, length))
      const whole = Math.floor((length - 48) / 76)
      const again = await FileCommitLog.open(copy)
      expect(describeEntries(await readAll(again))).toEqual(entries.slice(0, whole))
      const more = describeEntries(await fill(again, whole + 1, whole + 2, 30))
      await again.close()
      expect(await outcome(copy, 'write')).toEqual([...entries.slice(0, whole), ...more])
      fs.rmSync(copy, { recursive: true })
    }
  })

  test('30: with any bit flipped loses nothing that a later entry vouches for', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory)
    const entries = describeEntries(await fill(log, 1, ENTRIES))
    const image = crashImage(directory, path.join(tempDirectory(), 'image'))
    await log.close()
    const segment = segmentPaths(image)[0] as string
    const end = 48 + ENTRIES * 76
    // With a little of the space that was allocated ahead.
    const bytes = fs.readFileSync(segment).subarray(0, end + 40)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
      fs.writeFileSync(segment, damaged)
      const found = await outcome(image, 'read')
      const at = bit >> 3
      if (at < end - 76) expect(found).toBeUndefined()
      else expect(found).toEqual(at < end ? entries.slice(0, -1) : entries)
    }
  })

  test('does not take a torn group of commits for damage, nor keep pieces of it', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory)
    const first = describeEntries(await fill(log, 1, 2))
    // One write of five entries, none of which was acknowledged before, of more than is filled with
    // zeros at a time.
    const size = 40_000
    const frame = 56 + size
    await Promise.all(
      [3, 4, 5, 6, 7].map((version) => log.append(newEntry(version, new Uint8Array(size)))),
    )
    const image = crashImage(directory, path.join(tempDirectory(), 'image'))
    await log.close()
    const segment = segmentPaths(image)[0] as string
    const bytes = fs.readFileSync(segment)
    // Its first page never reached the disk, the others did.
    bytes.fill(0, 48 + 2 * 76, 48 + 2 * 76 + 90)
    fs.writeFileSync(segment, bytes)
    expect(await outcome(image, 'read')).toEqual(first)
    const fileSystem = new FaultyFileSystem()
    const again = await FileCommitLog.open(image, { fileSystem })
    expect(describeEntries(await readAll(again))).toEqual(first)
    // They are cut off, durably, before anything is written.
    const names = ['truncate', 'write', 'syncData', 'syncDirectory']
    const calls = fileSystem.calls.map(({ call }) => call)
    expect(calls.filter((call) => names.includes(call))).toEqual(names)
    // Entry 7 of the torn write stands right behind the new entry 6; it must not come to life
    // again.
    const more = describeEntries(await fill(again, 3, 5, 10_000))
    const gap = 4 * frame - 3 * (56 + 10_000) - 56
    more.push(...describeEntries(await fill(again, 6, 6, gap)))
    const second = crashImage(image, path.join(tempDirectory(), 'image'))
    await again.close()
    expect(await outcome(second, 'write')).toEqual([...first, ...more])
  })
})

describe('a log of several segments', () => {
  async function several(): Promise<{ directory: string; paths: string[]; entries: string[] }> {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory, { segmentBytes: 4096 })
    const entries = describeEntries(await fill(log, 1, 40, 300))
    await log.close()
    const paths = segmentPaths(directory)
    expect(paths.length).toBeGreaterThan(3)
    return { directory, paths, entries }
  }

  test('tells of damage in any of them, by segment and offset', async () => {
    const { directory, paths, entries } = await several()
    for (const segment of paths) {
      const bytes = fs.readFileSync(segment)
      fs.writeFileSync(segment, bytes.with(200, (bytes[200] as number) ^ 1))
      const open = FileCommitLog.open(directory, { mode: 'read' })
      const error = await open.then(readAll).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(CorruptionError)
      if (segment !== paths.at(-1)) {
        expect((error as Error).message).toContain(path.basename(segment))
        expect((error as Error).message).toContain('offset 48')
      }
      fs.writeFileSync(segment, bytes)
    }
    expect(await outcome(directory, 'read')).toEqual(entries)
  })

  test('cut or missing anywhere is a typed error', async () => {
    const { directory, paths } = await several()
    for (const segment of paths) {
      const bytes = fs.readFileSync(segment)
      for (const length of [0, 47, 48, 100, bytes.length - 57]) {
        fs.writeFileSync(segment, bytes.subarray(0, length))
        expect(await outcome(directory, 'read')).toBeUndefined()
      }
      fs.rmSync(segment)
      expect(await outcome(directory, 'read')).toBeUndefined()
      fs.writeFileSync(segment, bytes)
    }
  })

  test('does not take one segment for another', async () => {
    const { directory, paths } = await several()
    const [first, second] = paths as [string, string]
    const bytes = fs.readFileSync(second)
    fs.copyFileSync(first, second)
    expect(await outcome(directory, 'read')).toBeUndefined()
    // A frame of one segment, copied into another to the place where it was.
    const other = fs.readFileSync(first)
    other.copy(bytes, 48, 48, 48 + 356)
    fs.writeFileSync(second, bytes)
    expect(await outcome(directory, 'read')).toBeUndefined()
  })

  test('reads the tombstones of truncated ones, and finds damage in them', async () => {
    const { directory, entries } = await several()
    const log = await FileCommitLog.open(directory, { segmentBytes: 4096 })
    await log.truncate(40)
    await log.close()
    const kept = await outcome(directory, 'read')
    expect(kept?.filter((text) => text.endsWith('tombstone')).length).toBeGreaterThan(20)
    for (const [i, text] of kept?.entries() ?? []) {
      expect(text.split(' ').slice(0, 3)).toEqual(entries[i]?.split(' ').slice(0, 3))
    }
    const segment = segmentPaths(directory)[0] as string
    const bytes = fs.readFileSync(segment)
    expect(bytes.length).toBeLessThan(600)
    for (let at = 0; at < bytes.length; at++) {
      fs.writeFileSync(segment, bytes.with(at, (bytes[at] as number) ^ 0x10))
      expect(await outcome(directory, 'read')).toBeUndefined()
      fs.writeFileSync(segment, bytes.subarray(0, at))
      expect(await outcome(directory, 'read')).toBeUndefined()
    }
  })

  test('40: refuses entries and tombstones of no possible time, though their checksums are right', async () => {
    const { directory, paths } = await several()
    const log = await FileCommitLog.open(directory, { segmentBytes: 4096 })
    const [truncated, whole] = paths as [string, string]
    await log.truncate(Number(/(\d+)\.log$/.exec(whole)?.[1]) - 1)
    await log.close()
    const { crc32 } = await import('@firn/bytes')
    const forge = async (segment: string, change: (frame: Buffer) => void) => {
      const bytes = fs.readFileSync(segment)
      // The first frame: header at 48, payload at 104; checksums begin with the segment's id and
      // the place.
      const seed = crc32(Uint8Array.of(48, 0, 0, 0, 0, 0, 0, 0), crc32(bytes.subarray(16, 32)))
      const forged = Buffer.from(bytes)
      change(forged.subarray(48))
      forged.writeUInt32LE(crc32(forged.subarray(104, 104 + forged.readUInt32LE(48)), seed), 96)
      forged.writeUInt32LE(crc32(forged.subarray(48, 100), seed), 100)
      fs.writeFileSync(segment, forged)
      expect(await outcome(directory, 'read')).toBeUndefined()
      fs.writeFileSync(segment, bytes)
    }
    await forge(whole, (frame) => frame.fill(0, 16, 24))
    await forge(whole, (frame) => frame.fill(0xff, 16, 24))
    // The first tombstone's timestamp is a varint behind that of their number.
    await forge(truncated, (frame) => frame.fill(0, 57, 58))
    expect(await outcome(directory, 'read')).toBeDefined()
  })

  test('37: from the future is refused before anything is written', async () => {
    const { directory, paths } = await several()
    const segment = paths.at(-1) as string
    const bytes = fs.readFileSync(segment)
    bytes[8] = 2
    const { crc32 } = await import('@firn/bytes')
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 44)), 44)
    fs.writeFileSync(segment, bytes)
    await expect(FileCommitLog.open(directory)).rejects.toThrow(FormatVersionError)
    expect(fs.readFileSync(segment)).toEqual(bytes)
  })
})
