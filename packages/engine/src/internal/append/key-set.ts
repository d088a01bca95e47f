import type { TimeSlice } from '@firn/env'

// Far below the number of arguments that a call can take.
const MOST_ARGUMENTS = 1024

/** Keys by the names of their tables. */
export class KeySet {
  readonly tables: Map<string, Map<string, Uint8Array>> = new Map()

  /** Takes over the key. */
  add(table: string, key: Uint8Array): void {
    let keys = this.tables.get(table)
    if (keys === undefined) {
      keys = new Map()
      this.tables.set(table, keys)
    }
    keys.set(nameOf(key), key)
  }

  addAll(other: KeySet): void {
    for (const [table, keys] of other.tables) {
      const own = this.tables.get(table)
      if (own === undefined) this.tables.set(table, new Map(keys))
      else for (const [name, key] of keys) own.set(name, key)
    }
  }

  /** Returns whether both sets have the same key of a table. */
  async sharesKeyOf(table: string, other: KeySet, slice: TimeSlice): Promise<boolean> {
    const [a, b] = [this.tables.get(table), other.tables.get(table)]
    if (a === undefined || b === undefined) return false
    const [fewer, more] = a.size < b.size ? [a, b] : [b, a]
    for (const name of fewer.keys()) {
      if (more.has(name)) return true
      const turn = slice.step()
      if (turn !== undefined) await turn
    }
    return false
  }
}

/** Converts a key's bytes to a string, one character per byte. */
function nameOf(key: Uint8Array): string {
  if (key.length <= MOST_ARGUMENTS) return String.fromCharCode.apply(null, key as never)
  let name = ''
  for (let at = 0; at < key.length; at += MOST_ARGUMENTS) {
    name += nameOf(key.subarray(at, at + MOST_ARGUMENTS))
  }
  return name
}
