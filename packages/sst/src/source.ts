import { concatBytes, copyBytes } from '@firn/bytes'
import { isUint8Array } from '@firn/env'

/** What a read of a source may be told. */
export interface SourceReadOptions {
  signal?: AbortSignal
  /** Past any cache: the last reply didn't pass its checksum. */
  fresh?: boolean
}

/**
 * Where the bytes of one finished file come from: a range of an object, of a file, of memory.
 * Arrays that it returns belong to the reader from then on.
 */
export interface SstSource {
  /** `length` bytes at `offset`. A shorter or longer reply is treated as corruption. */
  read(offset: number, length: number, options?: SourceReadOptions): Promise<Uint8Array>
  /** The last `length` bytes, or all where the file is shorter, and the size of the whole file. */
  readTail(
    length: number,
    options?: SourceReadOptions,
  ): Promise<{ bytes: Uint8Array; size: number }>
  /** Called once, by the reader's `close`. */
  close?(): Promise<void>
}

/**
 * A file that is in memory whole, for example the chunks that `SstWriter.take` returned. A single
 * array is kept as it is, and must not change as long as the source is used.
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
