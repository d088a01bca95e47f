import { join } from 'node:path'
import { CorruptionError, isFirnError } from '@firn/env'
import { codeOf, type FileSystem } from '@firn/vfs'
import type { LogEntry } from '../../commit-log.js'
import {
  assertReaches,
  assertTorn,
  entriesAfter,
  type Frames,
  readFrames,
  readSegment,
} from './segment.js'
import { FORM_ENTRIES, FORM_TOMBSTONES, FRAME_HEADER_BYTES } from './segment-format.js'
import { segmentName, segmentVersions } from './segment-name.js'

// Reads of this many entries or fewer use a segment's index once it is known: a search by time
// reads single entries all over the log.
const FEW_ENTRIES = 16
const MAX_INDEXES = 8
// How many bytes a follower first asks for behind the last entry it has seen.
const TAIL_BYTES = 65_536

// How many bytes of entries are read from the active segment at once.
const BATCH_BYTES = 4_194_304

/** A segment as its writer knows it. */
export interface ActiveSegment {
  readonly firstVersion: number
  readonly offsets: readonly number[]
  readonly seed: number
  /** Offset behind the last durable frame. */
  readonly end: number
}

/** Reads segments by name. Its memory is only a cache: files may be replaced. */
export class SegmentReader {
  readonly #fs: FileSystem
  readonly #directory: string
  /** First versions of the segments, in order. */
  segments: number[] = []
  /** Frames of recently read segments, without their bytes, by first version. */
  readonly #indexes = new Map<number, Frames>()

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs
    this.#directory = directory
  }

  /** Lists the directory again; returns all names in it. A missing directory has none. */
  list(): string[] {
    let names: string[] = []
    try {
      names = this.#fs.namesSync(this.#directory)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
    this.segments = segmentVersions(names)
    return names
  }

  /** The first version of the segment that holds `version`. */
  segmentOf(version: number): number | undefined {
    let low = 0
    let high = this.segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.segments[middle] as number) <= version) low = middle + 1
      else high = middle
    }
    return this.segments[low - 1]
  }

  /** The segment after the one that begins at `firstVersion`. */
  nextSegment(firstVersion: number): number | undefined {
    return this.segments[this.segments.indexOf(firstVersion) + 1]
  }

  pathOf(firstVersion: number): string {
    return join(this.#directory, segmentName(firstVersion))
  }

  /** The name of a segment in error messages. */
  nameOf(firstVersion: number): string {
    return `commit log segment ${segmentName(firstVersion)}`
  }

  /** Reads the last segment, blocking, when the log is opened; `undefined` if there is none. */
  readLast(): Frames | undefined {
    const first = this.segments.at(-1)
    if (first === undefined) return undefined
    return readSegment(this.#fs.readFileSync(this.pathOf(first)), first, this.nameOf(first))
  }

  /**
   * Reads entries after `version` from one segment that isn't the last: at least one, at most
   * `limit`.
   */
  async completeAfter(version: number, limit: number): Promise<LogEntry[]> {
    const first = this.segmentOf(version + 1)
    if (first === undefined) {
      throw new CorruptionError(
        `entry ${version + 1} is in no segment: the commit log begins at version ${this.segments[0] ?? 1}`,
      )
    }
    const indexed = limit <= FEW_ENTRIES ? this.#byIndex(first, version, limit) : undefined
    if (indexed !== undefined) return indexed
    const what = this.nameOf(first)
    const frames = readSegment(await this.#fs.readFile(this.pathOf(first)), first, what)
    assertReaches(frames, this.nextSegment(first) as number, what)
    this.#remember(first, frames)
    return entriesAfter(frames, version, limit)
  }

  /**
   * Reads entries after `version` from the segment that this process appends to, by its offsets.
   */
  async activeAfter(active: ActiveSegment, version: number, limit: number): Promise<LogEntry[]> {
    const { firstVersion, offsets, seed } = active
    const first = version + 1 - firstVersion
    const start = offsets[first] as number
    let last = first + 1
    while (last < offsets.length && last - first < limit) {
      if ((offsets[last] as number) - start > BATCH_BYTES) break
      last++
    }
    const end = offsets[last] ?? active.end
    const what = this.nameOf(firstVersion)
    const bytes = await this.#fs.readFile(this.pathOf(firstVersion), start, end)
    const header = { id: '', firstVersion, form: FORM_ENTRIES, seed }
    const frames = readFrames(bytes, start, start, header, version + 1, what)
    if (frames.offsets.length < last - first) {
      throw new CorruptionError(
        `${what}: entry ${frames.lastVersion + 1} is damaged, at offset ${frames.end}`,
      )
    }
    return entriesAfter(frames, version, last - first)
  }

  /**
   * Reads entries after `version` from the last segment, while another process may be writing it.
   *
   * A read of a file is not a snapshot: it may miss an entry and show a later one. So apparent
   * damage is read again, and is damage only if the whole frames end at the same place.
   */
  async tailAfter(version: number, limit: number): Promise<LogEntry[]> {
    const first = this.segments.at(-1) as number
    const what = this.nameOf(first)
    const followed = this.#follow(first, version, limit)
    if (followed !== undefined) return followed
    let lastEnd = -1
    for (;;) {
      const frames = readSegment(await this.#fs.readFile(this.pathOf(first)), first, what)
      try {
        assertTorn(frames, what)
      } catch (error) {
        if (!isFirnError(error) || frames.end === lastEnd) throw error
        lastEnd = frames.end
        continue
      }
      this.#remember(first, frames)
      return entriesAfter(frames, version, limit)
    }
  }

  /** Forgets a segment that was replaced. */
  forget(firstVersion: number): void {
    this.#indexes.delete(firstVersion)
  }

  /** Continues where the last look at the last segment ended, if that was at `version`. */
  #follow(first: number, version: number, limit: number): LogEntry[] | undefined {
    const seen = this.#indexes.get(first)
    if (seen === undefined || seen.lastVersion !== version) return undefined
    const end = seen.end
    const bytes = this.#fs.readFileSync(this.pathOf(first), end, end + TAIL_BYTES)
    if (bytes.subarray(0, FRAME_HEADER_BYTES).every((byte) => byte === 0)) return []
    const what = this.nameOf(first)
    const frames = readFrames(bytes, end, end, seen.header, version + 1, what)
    if (frames.offsets.length === 0) return undefined
    for (const offset of frames.offsets) seen.offsets.push(offset)
    this.#remember(first, { ...frames, firstVersion: first, offsets: seen.offsets })
    return entriesAfter(frames, version, limit)
  }

  /** Reads by the index; `undefined` if it isn't known or belongs to another file. */
  #byIndex(first: number, version: number, limit: number): LogEntry[] | undefined {
    const index = this.#indexes.get(first)
    if (index === undefined || version >= index.lastVersion) return undefined
    if (index.header.form === FORM_TOMBSTONES) return entriesAfter(index, version, limit)
    const from = version + 1 - first
    const start = index.offsets[from] as number
    const end = index.offsets[from + limit] ?? index.end
    const bytes = this.#fs.readFileSync(this.pathOf(first), start, end)
    const frames = readFrames(bytes, start, start, index.header, version + 1, this.nameOf(first))
    if (frames.end !== end) {
      this.#indexes.delete(first)
      return undefined
    }
    return entriesAfter(frames, version, limit)
  }

  #remember(first: number, frames: Frames): void {
    this.#indexes.delete(first)
    this.#indexes.set(first, { ...frames, bytes: NO_BYTES })
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size <= MAX_INDEXES) break
      this.#indexes.delete(oldest)
    }
  }
}

const NO_BYTES = new Uint8Array(0)
