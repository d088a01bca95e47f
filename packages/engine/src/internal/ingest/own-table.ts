import type { TableIdentity } from '../view/table-identity.js'
import type { WriteContext } from './write-context.js'

/** The part of a table handle that batches need: the table's identity and its database. */
export abstract class OwnTable {
  readonly identity: TableIdentity
  readonly context: WriteContext

  constructor(identity: TableIdentity, context: WriteContext) {
    this.identity = identity
    this.context = context
  }
}
