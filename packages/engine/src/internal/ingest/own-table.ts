import type { TableIdentity } from '../view/table-identity.js'
import type { WriteContext } from './write-context.js'

/** What batches need of the handle of a table: which table it is, and of which database. */
export abstract class OwnTable {
  readonly identity: TableIdentity
  readonly context: WriteContext

  constructor(identity: TableIdentity, context: WriteContext) {
    this.identity = identity
    this.context = context
  }
}
