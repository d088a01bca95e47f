import { concatBytes, copyBytes } from '@firn/bytes'
import { isUint8Array } from '@firn/env'

/** Options of a read of a source. */
export interface SourceReadOptions {
  signal?: AbortSignal | undefined
  /** Read past any cache, because the last reply failed its checksum. */
  fresh?: boolean | undefined
}

/**
 * Source of the bytes of one finished file: an object, a file, memory. Arrays that it returns
 * belong to the reader.
 */
export interface SstSource {
  /** Reads `length` bytes at `offset`. A shorter or longer reply counts as corruption. */
  read(offset: number, length: number, options?: SourceReadOptions): Promise<Uint8Array>
  /** Reads the last `length` bytes, or all if the file is shorter, and returns the file's size. */
  readTail(
    length: number,
    options?: SourceReadOptions,
  ): Promise<{ bytes: Uint8Array; size: number }>
  /** Called once, by the reader's `close`. */
  close?(): Promise<void>
}

/**
 * Source of a whole file in memory, for example of the chunks that `SstWriter.take` returned. A
 * single array isn't copied, and must not change while the source is used.
 */
export function memorySource(file: Uint8Array | readonly Uint8Array[]): SstSource {
  const bytes = isUint8Array(file) ? file : concatBytes(file)
  return {
    read: async (offset, length, options) => {
      options?.signal?.throwIfAborted()
      return copyBytes(bytes, offset, offset + length)
    },
    readTail: async (length, options) => {
      options?.signal?.throwIfAborted()
      return { bytes: copyBytes(bytes, Math.max(0, bytes.length - length)), size: bytes.length }
    },
  }
}
