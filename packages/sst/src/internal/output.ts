import { BlockCompressor, CODEC_NONE } from './codec.js'
import { sealBlock, TRAILER_BYTES } from './envelope.js'
import type { FileIdentity } from './identity.js'

const FIRST_CHUNK_BYTES: number = 64 * 1024
const MOST_CHUNK_BYTES: number = 1024 * 1024

/** The output of a writer, in chunks that the caller can take at any time. */
export class Output {
  /** Size of the file so far, in bytes. */
  offset = 0
  readonly #identity: FileIdentity
  readonly #compressor = new BlockCompressor()
  #finished: Uint8Array[] = []
  #chunk = new Uint8Array(0)
  // [from, to) of the chunk is written, but not finished yet.
  #from = 0
  #to = 0
  #chunkBytes = FIRST_CHUNK_BYTES

  constructor(identity: FileIdentity) {
    this.#identity = identity
  }

  /** Compresses `raw[0, length)`, seals and appends it; returns its stored length. */
  block(codec: number, raw: Uint8Array, view: DataView, length: number): number {
    this.#room(BlockCompressor.bound(length) + TRAILER_BYTES)
    const chunk = this.#chunk
    const start = this.#to
    let used = codec
    let end = this.#compressor.compress(codec, raw, view, length, chunk, start)
    if (end < 0) {
      used = CODEC_NONE
      end = start + length
      chunk.set(raw.length === length ? raw : raw.subarray(0, length), start)
    }
    this.#to = sealBlock(chunk, start, end, length, used, this.#identity, this.offset)
    this.offset += this.#to - start
    return this.#to - start
  }

  /** Appends an uncompressed block; returns its stored length. */
  plainBlock(raw: Uint8Array): number {
    return this.block(CODEC_NONE, raw, NO_VIEW, raw.length)
  }

  /** Appends bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#chunk.set(bytes, this.#to)
    this.#to += bytes.length
    this.offset += bytes.length
  }

  /** Returns what was written since the last call, in order. The arrays belong to the caller. */
  take(): Uint8Array[] {
    this.#cut()
    const taken = this.#finished
    this.#finished = []
    return taken
  }

  #room(needed: number): void {
    if (this.#chunk.length - this.#to >= needed) return
    this.#cut()
    this.#chunk = new Uint8Array(Math.max(needed, this.#chunkBytes))
    this.#chunkBytes = Math.min(this.#chunkBytes * 2, MOST_CHUNK_BYTES)
    this.#from = 0
    this.#to = 0
  }

  #cut(): void {
    if (this.#to > this.#from) this.#finished.push(this.#chunk.subarray(this.#from, this.#to))
    this.#from = this.#to
  }
}

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0))
