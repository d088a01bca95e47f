import { KIND_DELETE, TABLE_PREFIX_BYTES } from '@firn/mvcc'
import type { Upload } from '@firn/object-store'
import type { StatisticsCollector } from '../statistics.js'
import type { SstSummary } from '../summary.js'
import type { WriteFilesOptions } from '../write-files.js'
import { SstWriter } from '../writer.js'

const NO_BYTES = new Uint8Array(0)
/** Bytes that wait before they are written to the store. */
const CHUNK_BYTES = 1024 * 1024

/** A file in the making, or made. */
interface OutputFile {
  readonly id: string
  upload: Upload | undefined
  summary: SstSummary | undefined
}

interface Chunk {
  readonly file: OutputFile
  readonly bytes: Uint8Array[]
  readonly last: boolean
}

/**
 * Records into files, one after the other. Appending is synchronous; what is finished waits in a
 * queue that `flush` writes to the store while the next records are appended.
 */
export class FileOutput {
  /** Files that are whole in the store, in key order. */
  readonly finished: SstSummary[] = []
  bytesWritten = 0
  readonly #options: WriteFilesOptions
  readonly #files: OutputFile[] = []
  #writer: SstWriter | undefined
  #queue: Chunk[] = []
  #queuedBytes = 0
  #waits = false
  #flushing: Promise<void> | undefined
  // Sizes are looked at once per so many bytes.
  readonly #stride: number
  #sinceLook = 0
  #full = false

  constructor(options: WriteFilesOptions) {
    this.#options = options
    this.#stride = Math.min(64 * 1024, Math.ceil(options.targetFileBytes / 16))
  }

  /** Whether the file in the making is as long as it should be: cut it before the next key. */
  get isFull(): boolean {
    return this.#full
  }

  /** Whether enough has gathered for `flush`: a megabyte, or the end of a file. */
  get waits(): boolean {
    return this.#waits
  }

  get isEmpty(): boolean {
    return this.#writer === undefined
  }

  /** Starts a file for a table's records. */
  open(tableId: number): void {
    const { newFileId, tableOptions, timestamps, splitTables } = this.#options
    const { blockBytes, filterBitsPerKey } = this.#options
    const { compression, statistics } = tableOptions(tableId)
    const collectors: Record<string, StatisticsCollector> = Object.create(null)
    // In a file of several tables, a collector couldn't tell them apart.
    if (splitTables) {
      for (const [name, make] of Object.entries(statistics ?? {})) {
        collectors[name] = new UserKeyCollector(make())
      }
    }
    const id = newFileId()
    this.#files.push({ id, upload: undefined, summary: undefined })
    this.#full = false
    this.#sinceLook = 0
    this.#writer = new SstWriter({
      fileId: id,
      compression,
      timestamps,
      statistics: collectors,
      blockBytes,
      filterBitsPerKey,
    })
  }

  append(
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    timestamp: number,
    kind: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const writer = this.#writer as SstWriter // `open` comes first.
    writer.append(keyBytes, keyStart, keyEnd, timestamp, kind, valueBytes, valueStart, valueEnd)
    this.#sinceLook += keyEnd - keyStart + valueEnd - valueStart + 4
    if (this.#sinceLook >= this.#stride) this.#look(writer)
  }

  /** A delete of a key whose bytes were kept. */
  appendDelete(keyBytes: Uint8Array, keyEnd: number, timestamp: number): void {
    this.append(keyBytes, 0, keyEnd, timestamp, KIND_DELETE, NO_BYTES, 0, 0)
  }

  /** Ends the file in the making, if there is one. */
  cut(): void {
    const writer = this.#writer
    if (writer === undefined) return
    this.#writer = undefined
    const file = this.#files.at(-1) as OutputFile
    file.summary = writer.finish()
    this.#queue.push({ file, bytes: writer.take(), last: true })
    this.#waits = true
  }

  /**
   * Starts to write what waits, after waiting for the write before: one is under way while the next
   * part is being made, no more.
   */
  async flush(): Promise<void> {
    await this.#flushing
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    this.#waits = false
    this.#flushing = this.#write(queue)
    // Met by the next flush or by `finish`; until then it is nobody's.
    this.#flushing.catch(() => {})
  }

  /** Everything into the store. */
  async finish(): Promise<SstSummary[]> {
    this.cut()
    await this.flush()
    await this.#flushing
    return this.finished
  }

  /** Leaves nothing behind: uploads are aborted, files that are whole are discarded. */
  async abandon(): Promise<void> {
    await this.#flushing?.catch(() => {})
    for (const { id, upload } of this.#files) {
      if (this.finished.some(({ fileId }) => fileId === id)) continue
      await upload?.abort().catch(() => {})
    }
    const ids = this.finished.map(({ fileId }) => fileId)
    if (ids.length > 0) await this.#options.discard?.(ids).catch(() => {})
  }

  #look(writer: SstWriter): void {
    this.#sinceLook = 0
    const bytes = writer.take()
    if (bytes.length > 0) {
      const file = this.#files.at(-1) as OutputFile
      this.#queue.push({ file, bytes, last: false })
      for (const piece of bytes) this.#queuedBytes += piece.length
      if (this.#queuedBytes >= CHUNK_BYTES) this.#waits = true
    }
    this.#full = writer.writtenBytes >= this.#options.targetFileBytes
  }

  async #write(queue: readonly Chunk[]): Promise<void> {
    for (let i = 0; i < queue.length; i++) {
      const { file } = queue[i] as Chunk
      const pieces: Uint8Array[] = []
      let last = false
      // All that waits for one file goes to the store together.
      for (; i < queue.length && queue[i]?.file === file; i++) {
        const chunk = queue[i] as Chunk
        pieces.push(...chunk.bytes)
        last = chunk.last
      }
      i--
      file.upload ??= await this.#options.upload(file.id)
      for (const piece of joined(pieces)) {
        await file.upload.write(piece)
        this.bytesWritten += piece.length
      }
      if (!last) continue
      await file.upload.finish()
      this.finished.push(file.summary as SstSummary)
    }
  }
}

/** Pieces of a megabyte or so: a write costs the store more than its bytes. */
function* joined(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  let group: Uint8Array[] = []
  let length = 0
  for (const piece of pieces) {
    group.push(piece)
    length += piece.length
    if (length < CHUNK_BYTES) continue
    yield concatenated(group, length)
    group = []
    length = 0
  }
  if (length > 0) yield concatenated(group, length)
}

function concatenated(group: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = group
  if (group.length === 1 && only !== undefined) return only
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of group) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** Shows a table's collector the keys as the table's users know them. */
class UserKeyCollector implements StatisticsCollector {
  readonly #collector: StatisticsCollector

  constructor(collector: StatisticsCollector) {
    this.#collector = collector
  }

  add(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#collector.add(key.subarray(TABLE_PREFIX_BYTES), value)
  }

  finish(): Uint8Array {
    return this.#collector.finish()
  }
}
