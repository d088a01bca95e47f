/** Keys of tables, by the tables' names. */
export class KeySet {
  readonly tables: Map<string, Map<string, Uint8Array>> = new Map()

  /** The key is the set's from now on. */
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

  /** The keys of a table that both sets have. */
  sharesKeyOf(table: string, other: KeySet): boolean {
    const [a, b] = [this.tables.get(table), other.tables.get(table)]
    if (a === undefined || b === undefined) return false
    const [fewer, more] = a.size < b.size ? [a, b] : [b, a]
    for (const name of fewer.keys()) if (more.has(name)) return true
    return false
  }
}

/** A key's bytes as a string, a character each. */
function nameOf(key: Uint8Array): string {
  let name = ''
  for (const byte of key) name += String.fromCharCode(byte)
  return name
}
