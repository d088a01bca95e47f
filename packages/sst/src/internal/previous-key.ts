import { type RecordCursor, tableIdAt } from '@firn/mvcc'

/** A copy of the key that a cursor stood on: its arrays may be overwritten when it moves. */
export class PreviousKey {
  bytes: Uint8Array = new Uint8Array(128)
  /** Of the key; -1 before the first one. */
  length = -1
  tableId = -1
  /** Whether the key is of another table than the one before it. */
  tableChanged = false

  /** Whether the cursor stands on this key. Compared from the end, where neighbours differ. */
  holds({ keyBytes, keyStart, keyEnd }: RecordCursor): boolean {
    const { bytes, length } = this
    if (keyEnd - keyStart !== length) return false
    for (let i = length - 1; i >= 0; i--) {
      if (keyBytes[keyStart + i] !== bytes[i]) return false
    }
    return true
  }

  keep({ keyBytes, keyStart, keyEnd }: RecordCursor): void {
    const length = keyEnd - keyStart
    if (length > this.bytes.length) this.bytes = new Uint8Array(2 * length)
    const { bytes } = this
    // `as number`: within both arrays, by their lengths.
    for (let i = 0; i < length; i++) bytes[i] = keyBytes[keyStart + i] as number
    this.length = length
    const tableId = tableIdAt(bytes, 0)
    this.tableChanged = tableId !== this.tableId
    this.tableId = tableId
  }
}
