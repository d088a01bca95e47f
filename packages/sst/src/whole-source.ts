import { memorySource, type SstSource } from './source.js'

/** A small file, of which all is wanted: the read that opens it reads it whole. */
export function wholeSource(source: SstSource, size: number): SstSource {
  let whole: SstSource | undefined
  return {
    read: (offset, length, options) => {
      // What turned out to be damaged is asked for again where it came from.
      const from = options?.fresh === true ? source : (whole ?? source)
      return from.read(offset, length, options)
    },
    readTail: async (length, options) => {
      const all = await source.readTail(Math.max(size, length), options)
      whole = memorySource(all.bytes)
      const { bytes } = await whole.readTail(length)
      return { bytes, size: all.size }
    },
    close: async () => source.close?.(),
  }
}
