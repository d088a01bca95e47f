// What DynamoDB charges for a request, worked out from its body and its answer by the documented
// rules:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
// Neither the client's nor the server's own count is asked.

export interface Units {
  write: number
  read: number
}

type Value = Record<string, unknown>
type Item = Record<string, Value>

interface Body {
  Item?: Item
  Items?: Item[]
  Attributes?: Item
  ConsistentRead?: boolean
  ConsumedCapacity?: { CapacityUnits?: number }
}

const WRITE_BYTES = 1024
const READ_BYTES = 4096

/**
 * A write that its condition refuses is charged as the item that was there, or the one that it
 * sent.
 */
export function unitsOf(operation: string, request: string, answer: string): Units {
  const asked = parse(request)
  const given = parse(answer)
  switch (operation) {
    case 'PutItem': {
      const bytes = Math.max(sizeOf(asked.Item), sizeOf(given.Item))
      return { write: Math.max(1, Math.ceil(bytes / WRITE_BYTES)), read: 0 }
    }
    case 'UpdateItem':
    case 'DeleteItem':
      // The item isn't in the request: only the server knows its size.
      return { write: given.ConsumedCapacity?.CapacityUnits ?? 1, read: 0 }
    case 'GetItem':
    case 'Query': {
      const bytes = [given.Item, ...(given.Items ?? [])].reduce((sum, one) => sum + sizeOf(one), 0)
      const units = Math.max(1, Math.ceil(bytes / READ_BYTES))
      return { write: 0, read: asked.ConsistentRead === true ? units : units / 2 }
    }
    default:
      throw new Error(`what ${operation} costs isn't known here`)
  }
}

function parse(text: string): Body {
  return text === '' ? {} : (JSON.parse(text) as Body)
}

/** Names and values; binary comes as base64, and a number takes a byte for two digits, and one. */
function sizeOf(item: Item | undefined): number {
  let bytes = 0
  for (const [name, value] of Object.entries(item ?? {})) {
    bytes += Buffer.byteLength(name)
    for (const [type, content] of Object.entries(value)) {
      const text = String(content)
      if (type === 'B') bytes += Buffer.byteLength(text, 'base64')
      else if (type === 'S') bytes += Buffer.byteLength(text)
      else if (type === 'N') bytes += numberBytes(text)
      else throw new Error(`the size of an attribute of type ${type} isn't known here`)
    }
  }
  return bytes
}

function numberBytes(digits: string): number {
  const significant = digits.replace(/^-?0*|\.|0+$/g, '').length
  return Math.ceil(significant / 2) + (digits.startsWith('-') ? 2 : 1)
}
