import type { CommitGroup } from './commit-group.js'
import type { TableIdentity } from './table-identity.js'
import type { VersionSet } from './version-set.js'

/** From here on, ids stand for tables that a shared log doesn't know yet. */
const PROVISIONAL_ID = 0xc000_0000

/** Tables that groups on their way to the log create. */
export class TablesToCome {
  readonly #isExclusive: boolean
  readonly #versions: VersionSet
  readonly #ids: Map<string, number> = new Map()
  #provisionalIds = 0

  constructor(isExclusive: boolean, versions: VersionSet) {
    this.#isExclusive = isExclusive
    this.#versions = versions
  }

  /** The id that a table will have, which the group creates unless one before it does. */
  add(table: TableIdentity, group: CommitGroup): number {
    let id = this.#ids.get(table.name)
    if (id === undefined) {
      // On a shared log, `rebase` gives the real id: until then it may not look like any table's.
      id = this.#isExclusive
        ? this.#versions.state.nextTableId + this.#ids.size
        : PROVISIONAL_ID + this.#provisionalIds++
      this.#ids.set(table.name, id)
      group.edits.push(table.creation(id))
    }
    group.provisional.set(id, table)
    return id
  }

  /** The group's tables exist now, or won't. */
  settled(group: CommitGroup): void {
    for (const edit of group.edits) {
      if (edit.type === 'create-table') this.#ids.delete(edit.name)
    }
  }
}
