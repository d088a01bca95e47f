import { encodeEdits } from '@firn/manifest'
import type { CommitGroup } from '../append/commit-group.js'
import type { TableIdentity } from '../view/table-identity.js'

/** Ids from here on stand for tables that the log doesn't know yet. */
const PROVISIONAL_ID = 0xc000_0000

/**
 * Tracks tables that groups on their way to the log create or drop. Until a table is created it has
 * a provisional id, which no real table can have: the group's `rebase` replaces it once the earlier
 * groups are known. While a table is being dropped, writes wait: the drop decides which table a
 * name means.
 */
export class PendingTables {
  readonly #creating: Map<string, { id: number; table: TableIdentity }> = new Map()
  #ids = 0
  #dropping: Promise<unknown> | undefined

  /** The drops under way, which writes wait for. */
  get dropping(): Promise<unknown> | undefined {
    return this.#dropping
  }

  /** Makes writes wait until this drop settles. */
  drop(drop: Promise<unknown>): void {
    const dropping = drop
      .catch(() => {})
      .then(() => {
        if (this.#dropping === dropping) this.#dropping = undefined
      })
    this.#dropping = dropping
  }

  /**
   * Throws if a table can't be created, before any group depends on it: `InvalidArgumentError` if
   * its options can't be encoded, `TableOptionsError` if they contradict those that it is being
   * created with.
   */
  assertCreatable(tables: readonly TableIdentity[]): void {
    const names = new Map<string, TableIdentity>()
    for (const table of tables) {
      const first = this.#creating.get(table.name)?.table ?? names.get(table.name)
      if (first === undefined) {
        encodeEdits([table.creation(PROVISIONAL_ID)])
        names.set(table.name, table)
      } else if (first !== table) table.assertCompatible(first.creationOptions)
    }
  }

  /** The id that a table has in a group, which creates it unless one before does. */
  create(table: TableIdentity, group: CommitGroup): number {
    let pending = this.#creating.get(table.name)
    if (pending === undefined) {
      pending = { id: PROVISIONAL_ID + this.#ids++, table }
      this.#creating.set(table.name, pending)
      group.edits.push(table.creation(pending.id))
    }
    group.provisional.set(pending.id, pending.table)
    return pending.id
  }

  /** Called when the group's tables exist, or never will. */
  settled(group: CommitGroup): void {
    for (const { name } of group.provisional.values()) this.#creating.delete(name)
  }
}
