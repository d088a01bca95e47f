import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { crc32, utf8Encode } from '@firn/bytes'
import { FileCommitLog } from '@firn/commit-log/file'
import { type Env, systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import type { FileSystem } from '@firn/vfs'
import type { Random } from '../../random.js'
import type { FuzzTarget } from '../fuzz-target.js'
import { someBytes, someText, someUlid } from '../values.js'
import { readLog } from './logs.js'

const SEGMENT_HEADER_BYTES = 48
const FRAME_HEADER_BYTES = 56
const LOCK = 'LOCK-1'

// An empty lock is read again a little later; here there is nothing to wait for.
const IMPATIENT: Env = { ...systemEnv, sleep: async () => {} }

/** Makes the segments of a log in a directory: entries and, if it was truncated, tombstones. */
async function someSegments(random: Random): Promise<Uint8Array[]> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-fuzz-'))
  const env = new TestEnv({ seed: random.below(2 ** 32) })
  try {
    const log = await FileCommitLog.open(directory, { segmentBytes: 4096, env })
    const entries = 1 + random.below(12)
    let timestamp = 1
    for (let version = 1; version <= entries; version++) {
      timestamp += 1 + random.below(100)
      const payload = someBytes(random, 1000)
      await log.append({ version, timestamp, token: someUlid(random), payload })
    }
    if (random.below(2) === 0) await log.truncate(entries)
    await log.close()
    const all = await readdir(join(directory, 'log'))
    const names = all.filter((name) => name.endsWith('.log')).sort()
    const segments = names.map((name) => readFile(join(directory, 'log', name)))
    return (await Promise.all(segments)).map((bytes) => Uint8Array.from(bytes))
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** A directory of these files, with the calls that a read-only log makes. */
function directoryOf(files: ReadonlyMap<string, Uint8Array>, at: string): FileSystem {
  const read = (path: string, start?: number, end?: number): Uint8Array => {
    const bytes = files.get(path)
    if (bytes === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    return bytes.slice(start, end)
  }
  const fileSystem: Pick<FileSystem, 'namesSync' | 'pin' | 'readFile' | 'readFileSync'> = {
    namesSync: (directory) => {
      const names = [...files.keys()].filter((path) => join(path, '..') === directory)
      if (names.length > 0 || directory === at) return names.map((path) => basename(path))
      throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    },
    pin: () => ({
      id: '',
      device: '',
      isInPlace: () => true,
      currentPath: () => undefined,
      release: () => {},
    }),
    readFile: async (path, start, end) => read(path, start, end),
    readFileSync: read,
  }
  return fileSystem as unknown as FileSystem
}

/** A directory that doesn't exist on the real disk. */
const DB = resolve('/db')

const segmentPath = (firstVersion: number): string =>
  join(DB, 'log', `${String(firstVersion).padStart(20, '0')}.log`)

/**
 * Inputs are a byte that says whether another segment follows (0: none, else after this many
 * versions), and the segment.
 */
const segment: FuzzTarget = {
  name: 'log-segment',
  async corpus(random) {
    const inputs: Uint8Array[] = []
    for (let left = 12; left > 0; left--) {
      const segments = await someSegments(random)
      for (const [i, bytes] of segments.entries()) {
        const next = segments[i + 1]
        const versions = next === undefined ? 0 : firstVersionOf(next) - firstVersionOf(bytes)
        inputs.push(Uint8Array.of(versions, ...bytes))
      }
    }
    return inputs
  },
  seal: (bytes) => sealSegment(bytes.subarray(1)),
  async decode(bytes) {
    const content = bytes.subarray(1)
    const first = firstVersionOf(content)
    const files = new Map([[segmentPath(first), content]])
    const versions = bytes[0] ?? 0
    if (versions > 0) files.set(segmentPath(first + versions), emptySegment(first + versions))
    const log = await FileCommitLog.open(DB, {
      mode: 'read',
      env: IMPATIENT,
      fileSystem: directoryOf(files, DB),
    })
    await readLog(log, first - 1)
    // The second read uses what the log remembers of the segment.
    await readLog(log, first - 1)
    for await (const entry of log.readAfter(first, { limit: 1 })) void entry
    await log.close()
  },
}

function firstVersionOf(bytes: Uint8Array): number {
  if (bytes.length < SEGMENT_HEADER_BYTES) return 1
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = Number(view.getBigUint64(32, true))
  return version > 0 && version < 1e15 ? version : 1
}

function emptySegment(firstVersion: number): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  bytes.set(utf8Encode('FIRNLOG\n'))
  bytes[8] = 1
  new DataView(bytes.buffer).setBigUint64(32, BigInt(firstVersion), true)
  sealSegment(bytes)
  return bytes
}

function sealSegment(bytes: Uint8Array): void {
  if (bytes.length < SEGMENT_HEADER_BYTES) return
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const seal = (at: number, start: number, end: number, seed?: number): void =>
    view.setUint32(at, crc32(bytes.subarray(start, end), seed), true)
  seal(44, 0, 44)
  const segmentSeed = crc32(bytes.subarray(16, 32))
  const place = new Uint8Array(8)
  for (let at = SEGMENT_HEADER_BYTES; at + FRAME_HEADER_BYTES <= bytes.length; ) {
    const payloadAt = at + FRAME_HEADER_BYTES
    const end = payloadAt + view.getUint32(at, true)
    if (end > bytes.length) return
    new DataView(place.buffer).setUint32(0, at, true)
    const seed = crc32(place, segmentSeed)
    seal(at + 48, payloadAt, end, seed)
    seal(at + 52, at, at + 52, seed)
    at = end
  }
}

/** The contents of a directory's lock, which tell where the log ended. */
const lock: FuzzTarget = {
  name: 'log-lock',
  corpus: (random) =>
    Array.from({ length: 10 }, () => {
      const owner = {
        hostname: 'host',
        pid: 1 + random.below(40_000),
        bootId: someText(random),
        pidNamespace: someText(random),
        startTime: someText(random),
      }
      const state = random.below(2) === 0 ? 'held' : 'released'
      const note = random.below(2) === 0 ? { version: 0 } : undefined
      const record = { format: 1, state, nonce: someUlid(random), owner, note }
      return utf8Encode(`${JSON.stringify(record)}\n`)
    }),
  words: ['null', '2', '-1', '1e300', '"note":', '"version":', '{}', '[]', '"held"', '"released"'],
  async decode(bytes) {
    const files = new Map([[join(DB, LOCK), bytes]])
    const log = await FileCommitLog.open(DB, {
      mode: 'read',
      env: IMPATIENT,
      fileSystem: directoryOf(files, DB),
    })
    await readLog(log)
    await log.close()
  },
}

export const segmentTargets: readonly FuzzTarget[] = [segment, lock]
