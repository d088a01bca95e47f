import type { ObjectStore } from '@firn/object-store'
import type { SstSource } from '@firn/sst'

/** Where the SSTs of a database live: its prefix, then `<id>.sst`. */
export function sstPrefix(incarnation: string): string {
  return `sst/${incarnation}/`
}

/** The id of an SST's object key; `undefined` for other objects. */
export function sstIdOf(key: string): string | undefined {
  return /\/([^/]+)\.sst$/.exec(key)?.[1]
}

/** An object, of known size, as the SST reader wants it. SSTs are never overwritten. */
export function objectSource(store: ObjectStore, key: string, size: number): SstSource {
  return {
    async read(offset, length, options) {
      const range = { start: offset, end: offset + length }
      const object = await store.get(key, { range, immutable: true, signal: options?.signal })
      return object.bytes
    },
    async readTail(length, options) {
      const start = Math.max(0, size - length)
      const range = { start, end: size }
      const object = await store.get(key, { range, immutable: true, signal: options?.signal })
      return { bytes: object.bytes, size: object.size }
    },
  }
}
