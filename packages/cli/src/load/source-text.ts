import { whyInexact } from '../text/exact-json.js'
import { jsonElementText, jsonMemberTexts } from '../text/json-text.js'
import { BadRowError } from './bad-row.js'

/**
 * Throws `BadRowError` unless the value at `path`, which is to be a key, is exactly what the
 * record's text `json` says: a member that occurs twice has two values, and a number may have more
 * digits than a double.
 */
export function assertAsWritten(json: string, path: readonly string[], value: unknown): void {
  // A string is what its text says. The text is searched only if the member may occur twice.
  const plain = typeof value === 'string' || typeof value === 'boolean'
  if (plain && path.length === 1 && !mayBeTwice(json, path[0] as string)) return
  const text = textAt(json, path)
  if (!plain) assertExact(text, 'the key')
}

/** Returns the text of a member of a record. Throws `BadRowError` if the member occurs twice. */
export function memberText(json: string, name: string): string {
  const texts = jsonMemberTexts(json, name)
  if (texts.length > 1) throw new BadRowError(`the field ${JSON.stringify(name)} occurs twice`)
  return texts[0] ?? ''
}

/** Throws `BadRowError` if a value would come back different from this JSON text. */
export function assertExact(json: string, what: string): void {
  const inexact = whyInexact(json)
  if (inexact !== undefined) throw new BadRowError(`${what}${inexact}`)
}

function textAt(json: string, path: readonly string[]): string {
  return path.reduce(
    (text, step) =>
      text.startsWith('[') ? (jsonElementText(text, Number(step)) ?? '') : memberText(text, step),
    json,
  )
}

/** Returns false only if the member can't occur twice. Cheaper than a search of all members. */
function mayBeTwice(json: string, name: string): boolean {
  const quoted = JSON.stringify(name)
  // A name may be written with escapes.
  if (quoted.length !== name.length + 2 || /\\[u/]/.test(json)) return true
  const first = json.indexOf(quoted)
  return first < 0 || json.indexOf(quoted, first + 1) >= 0
}
