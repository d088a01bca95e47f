import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { DynamoDbError } from '../errors.js'
import type { DynamoDbRequest } from '../options.js'
import { type Item, itemBytes, readUnits, writeUnits } from './item-size.js'

/** Result of one attempt. */
export type Attempt<O> =
  | { done: O }
  /** A condition failed; the item that failed it, if the server sent it. */
  | { refused: Item | undefined }
  | { failure: DynamoDbError }
  | { aborted: unknown }

/** Parts of answers that are counted. */
interface Counted {
  ConsumedCapacity?: ConsumedCapacity | undefined
  Item?: Item | undefined
  Items?: Item[] | undefined
}

/** Reports an attempt and its cost. */
export function requestOf(
  { kind, bytes = 0 }: { kind: DynamoDbRequest['kind']; bytes?: number },
  attempt: Attempt<unknown>,
): DynamoDbRequest {
  const answer = ('done' in attempt ? attempt.done : undefined) as Counted | undefined
  const found = 'refused' in attempt ? attempt.refused : answer?.Item
  const items = answer?.Items ?? (found === undefined ? [] : [found])
  const bytesRead = items.reduce((sum, item) => sum + itemBytes(item), 0)
  const request = { kind, outcome: outcomeOf(attempt), bytesWritten: bytes, bytesRead }
  const none = { ...request, writeUnits: 0, readUnits: 0 }
  if ('failure' in attempt && !attempt.failure.maybeDone) return none
  const counted = answer?.ConsumedCapacity?.CapacityUnits
  switch (kind) {
    case 'put':
    case 'update':
      // A failed condition costs as much as the larger of the two items.
      return { ...none, writeUnits: counted ?? writeUnits(Math.max(bytes, bytesRead)) }
    case 'get':
    case 'query':
      return { ...none, readUnits: counted ?? readUnits(bytesRead) }
    case 'create-table':
    case 'describe-table':
      return none
  }
}

function outcomeOf(attempt: Attempt<unknown>): DynamoDbRequest['outcome'] {
  if ('done' in attempt) return 'done'
  return 'refused' in attempt ? 'condition-failed' : 'failed'
}
