import { digitsOf, utf8OrUndefined } from './byte-text.js'
import { jsonTextOf } from './json-text.js'
import { type TableText, tupleTextOf } from './table-text.js'

/**
 * Formats one row as a JSON object that `firn load` reads back without loss:
 * `{"key":…,"value":…}`, with text as strings, JSON values and tuples as JSON. A row that has
 * no such form, and any row if digits were asked for, holds digits of the stored bytes and says so:
 * `"encoding":"base64"`. `members` is JSON text that comes first.
 */
export function rowJson(
  text: TableText,
  key: Uint8Array,
  value: Uint8Array | undefined,
  members = '',
): string {
  if (text.format === 'text') {
    const keyText = jsonOf(key, text.encodings.keys)
    const valueText = value === undefined ? '' : jsonOf(value, text.encodings.values)
    if (keyText !== undefined && valueText !== undefined) {
      return row(members, keyText, valueText, '')
    }
  }
  const digits = text.format === 'text' ? 'base64' : text.format
  return row(
    members,
    `"${digitsOf(key, digits)}"`,
    value === undefined ? '' : `"${digitsOf(value, digits)}"`,
    `,"encoding":"${digits}"`,
  )
}

function row(members: string, key: string, value: string, encoding: string): string {
  const valueMember = value === '' ? '' : `,"value":${value}`
  return `{${members}${members === '' ? '' : ','}"key":${key}${valueMember}${encoding}}`
}

function jsonOf(bytes: Uint8Array, encoding: string): string | undefined {
  if (encoding === 'json') return jsonTextOf(bytes)
  if (encoding === 'tuple') return tupleTextOf(bytes)
  const text = utf8OrUndefined(bytes)
  return text === undefined ? undefined : JSON.stringify(text)
}
