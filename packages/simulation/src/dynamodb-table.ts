import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { Violation } from './violation.js'

export type Item = Record<string, AttributeValue>

/** A condition as a request states it. */
export interface ItemCondition {
  ConditionExpression?: string | undefined
  ExpressionAttributeNames?: Record<string, string> | undefined
  ExpressionAttributeValues?: Item | undefined
}

/** The part of a DynamoDB table that Firn uses: items of a partition key `id` and a sort key `version`. */
export class DynamoDbTable {
  readonly #partitions: Map<string, Map<number, Item>> = new Map()

  find(key: Item): Item | undefined {
    return this.#partitions.get(idOf(key))?.get(versionOf(key))
  }

  put(item: Item): void {
    const id = idOf(item)
    const partition = this.#partitions.get(id) ?? new Map<number, Item>()
    this.#partitions.set(id, partition)
    partition.set(versionOf(item), item)
  }

  delete(key: Item): void {
    this.#partitions.get(idOf(key))?.delete(versionOf(key))
  }

  /** Items of a partition after a version, in order. */
  after(key: Item, limit: number): { items: Item[]; atEnd: boolean } {
    const partition = this.#partitions.get(idOf(key)) ?? new Map<number, Item>()
    const after = versionOf(key)
    const versions = [...partition.keys()].filter((version) => version > after)
    versions.sort((a, b) => a - b)
    const items = versions.slice(0, limit).map((version) => partition.get(version) as Item)
    return { items, atEnd: versions.length <= limit }
  }
}

/** Whether a condition holds of an item, or of none: comparisons and `attribute_not_exists`, joined by AND. */
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
