import { encodeEdits } from '@firn/manifest'
import type { TableIdentity } from '../view/table-identity.js'
import type { CommitGroup } from './commit-group.js'

/** From here on, ids stand for tables that the log doesn't know yet. */
const PROVISIONAL_ID = 0xc000_0000

/**
 * Tables that groups on their way to the log create. Until then they have provisional ids, which
 * look like no table's: `rebase` gives the real ones, when it is known which groups came before.
 */
export class TablesToCome {
  readonly #pending: Map<string, { id: number; table: TableIdentity }> = new Map()
  #ids = 0

  /**
   * Throws where a table can't be created, before any group depends on it: `InvalidArgumentError`
   * where its options can't be encoded, `TableOptionsError` where they contradict those that it is
   * being created with.
   */
  assertCreatable(tables: readonly TableIdentity[]): void {
    const names = new Map<string, TableIdentity>()
    for (const table of tables) {
      const first = this.#pending.get(table.name)?.table ?? names.get(table.name)
      if (first === undefined) {
        encodeEdits([table.creation(PROVISIONAL_ID)])
        names.set(table.name, table)
      } else if (first !== table) table.assertCompatible(first.creationOptions)
    }
  }

  /** The id that a table has in a group, which creates it unless one before does. */
  add(table: TableIdentity, group: CommitGroup): number {
    let pending = this.#pending.get(table.name)
    if (pending === undefined) {
      pending = { id: PROVISIONAL_ID + this.#ids++, table }
      this.#pending.set(table.name, pending)
      group.edits.push(table.creation(pending.id))
    }
    group.provisional.set(pending.id, pending.table)
    return pending.id
  }

  /** The group's tables exist now, or won't. */
  settled(group: CommitGroup): void {
    for (const { name } of group.provisional.values()) this.#pending.delete(name)
  }
}
