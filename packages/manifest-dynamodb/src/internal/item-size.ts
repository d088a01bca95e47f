import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { utf8Encode } from '@firn/bytes'

export type Item = Record<string, AttributeValue>

const KIB = 1024

/** Size of an item as DynamoDB counts it: names and values, of the types that Firn uses. */
export function itemBytes(item: Item): number {
  let bytes = 0
  for (const [name, value] of Object.entries(item)) bytes += utf8Encode(name).length + sizeOf(value)
  return bytes
}

function sizeOf(value: AttributeValue): number {
  if (value.B !== undefined) return value.B.length
  if (value.S !== undefined) return utf8Encode(value.S).length
  if (value.N !== undefined) return numberBytes(value.N)
  return 1
}

/** Size of a number: about a byte for two significant digits, and one more. */
function numberBytes(digits: string): number {
  const significant = digits.replace(/^-?0*|\.|0+$/g, '').length
  return Math.ceil(significant / 2) + (digits.startsWith('-') ? 2 : 1)
}

/** Cost of a write: a unit for each started KiB. A failed condition costs as much. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / KIB))
}

/** Cost of a strongly consistent read: a unit for each started 4 KiB that it went through. */
export function readUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / (4 * KIB)))
}
