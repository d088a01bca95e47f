import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { Violation } from './violation.js'

export type Item = Record<string, AttributeValue>

/** A condition in the form in which a request states it. */
export interface ItemCondition {
  ConditionExpression?: string | undefined
  ExpressionAttributeNames?: Record<string, string> | undefined
  ExpressionAttributeValues?: Item | undefined
}

/** An item as it was from some time on. */
interface State {
  sinceMs: number
  item: Item
}

/**
 * The part of a DynamoDB table that Firn uses: items with a partition key `id` and a sort key
 * `version`. It remembers earlier states, for reads that aren't consistent.
 */
export class DynamoDbTable {
  readonly #partitions: Map<string, Map<number, State[]>> = new Map()

  /** Returns an item, as it is or as it was at a time. */
  find(key: Item, atMs?: number): Item | undefined {
    return itemAt(this.#partitions.get(idOf(key))?.get(versionOf(key)), atMs)
  }

  put(item: Item, nowMs: number): void {
    const id = idOf(item)
    const partition = this.#partitions.get(id) ?? new Map<number, State[]>()
    this.#partitions.set(id, partition)
    const states = partition.get(versionOf(item)) ?? []
    partition.set(versionOf(item), states)
    states.push({ sinceMs: nowMs, item })
  }

  /**
   * Returns items of a partition after a version, in order, as they are or as they were at a time.
   */
  after(key: Item, limit: number, atMs?: number): { items: Item[]; atEnd: boolean } {
    const partition = this.#partitions.get(idOf(key)) ?? new Map<number, State[]>()
    const after = versionOf(key)
    const versions = [...partition.keys()].filter((version) => version > after)
    versions.sort((a, b) => a - b)
    const all = versions
      .map((version) => itemAt(partition.get(version), atMs))
      .filter((item) => item !== undefined)
    return { items: all.slice(0, limit), atEnd: all.length <= limit }
  }
}

function itemAt(states: readonly State[] = [], atMs: number | undefined): Item | undefined {
  if (atMs === undefined) return states.at(-1)?.item
  return states.findLast(({ sinceMs }) => sinceMs <= atMs)?.item
}

/**
 * Whether a condition holds for an item, or for none: comparisons and `attribute_not_exists`,
 * joined by AND.
 */
export function conditionHolds(item: Item | undefined, condition: ItemCondition): boolean {
  const { ConditionExpression, ExpressionAttributeNames: names = {} } = condition
  if (ConditionExpression === undefined) return true
  return ConditionExpression.split(' AND ').every((term) => {
    const absent = /^attribute_not_exists\((\S+)\)$/.exec(term)?.[1]
    if (absent !== undefined) return item?.[names[absent] ?? absent] === undefined
    const [, name = '', operator, value = ''] = /^(\S+) (=|<=) (:\S+)$/.exec(term) ?? []
    if (operator === undefined) throw new Violation(`a condition nobody expected: ${term}`)
    const found = item?.[names[name] ?? name]
    const asked = condition.ExpressionAttributeValues?.[value]
    if (found === undefined || asked === undefined) return false
    if (operator === '<=') return Number(found.N) <= Number(asked.N)
    return found.N === asked.N && found.S === asked.S
  })
}

function idOf(item: Item): string {
  return item['id']?.S ?? ''
}

function versionOf(item: Item): number {
  return Number(item['version']?.N)
}
