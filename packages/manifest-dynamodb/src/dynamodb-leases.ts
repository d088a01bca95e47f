import {
  BaseLeases,
  type LeaseCallOptions,
  type LeaseRecord,
  type ReplaceOutcome,
} from '@firn/commit-log'
import { assertUlid, systemEnv } from '@firn/env'
import { type Condition, ItemTable } from './internal/item-table.js'
import { decodeLeaseItem, encodeLeaseItem, leaseItemKey } from './internal/lease-item.js'
import type { DynamoDbOptions } from './options.js'

/**
 * Leases in the table of the commit log. Each is an item, replaced by conditional puts. Acquiring a
 * lease takes two requests, renewing or releasing it takes one.
 */
export class DynamoDbLeases extends BaseLeases {
  readonly #table: ItemTable
  readonly #incarnation: string

  constructor(options: DynamoDbOptions) {
    const { incarnation, env = systemEnv } = options
    super(env)
    assertUlid(incarnation, "a database's incarnation")
    this.#table = new ItemTable(options)
    this.#incarnation = incarnation
  }

  protected async _read(name: string, options: LeaseCallOptions): Promise<LeaseRecord | undefined> {
    const key = leaseItemKey(this.#incarnation, name)
    const item = await this.#table.get(key, { signal: options.signal, urgent: true })
    return item === undefined ? undefined : decodeLeaseItem(this.#incarnation, name, item)
  }

  protected async _replace(
    name: string,
    expected: LeaseRecord | undefined,
    next: LeaseRecord,
    options: LeaseCallOptions,
  ): Promise<ReplaceOutcome<LeaseRecord>> {
    const item = encodeLeaseItem(this.#incarnation, name, next)
    const outcome = await this.#table.putIf(conditionOf(expected), item, options.signal)
    if ('done' in outcome) return { replaced: next }
    if ('unknown' in outcome) return outcome
    const { refused } = outcome
    if (refused !== undefined) {
      return { found: decodeLeaseItem(this.#incarnation, name, refused) }
    }
    // The server didn't send the item that failed the condition.
    try {
      return { found: await this._read(name, options) }
    } catch (error) {
      return { unknown: error }
    }
  }
}

/** Condition that the item still is this record: an epoch has one holder, which counts renewals. */
function conditionOf(expected: LeaseRecord | undefined): Condition {
  if (expected === undefined) return { expression: 'attribute_not_exists(id)' }
  const { epoch, holder, renewals } = expected
  const held = holder === undefined ? 'attribute_not_exists(#holder)' : '#holder = :holder'
  return {
    expression: `#epoch = :epoch AND #renewals = :renewals AND ${held}`,
    names: { '#epoch': 'epoch', '#renewals': 'renewals', '#holder': 'holder' },
    values: {
      ':epoch': { N: String(epoch) },
      ':renewals': { N: String(renewals) },
      ...(holder === undefined ? {} : { ':holder': { S: holder } }),
    },
  }
}
