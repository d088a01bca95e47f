import type { RecordsToWrite } from '../files/file-writer.js'
import type { TableIdentity } from '../view/table-identity.js'

/** Encoded records of a batch. */
export interface EncodedRecords extends RecordsToWrite {
  readonly tables: readonly TableIdentity[]
}
