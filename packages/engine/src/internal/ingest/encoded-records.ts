import type { RecordsToWrite } from '../files/file-writer.js'
import type { TableIdentity } from '../view/table-identity.js'

/** Records of a batch, encoded. */
export interface EncodedRecords extends RecordsToWrite {
  readonly tables: readonly TableIdentity[]
}
