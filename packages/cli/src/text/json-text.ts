import { utf8OrUndefined } from './byte-text.js'

/**
 * The JSON text that these bytes are, on one line and otherwise as stored: going through values
 * would lose digits of long numbers. `undefined` where they aren't JSON.
 */
export function jsonTextOf(bytes: Uint8Array): string | undefined {
  const text = utf8OrUndefined(bytes)
  if (text === undefined || !isJson(text)) return undefined
  // Line breaks in valid JSON stand between tokens only; strings hold them as \n.
  return text.trim().replace(/[\r\n]+\s*/g, ' ')
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The text of a member of the valid JSON object `text`, as it stands there. The last one counts. */
export function jsonMemberText(text: string, name: string): string | undefined {
  let found: string | undefined
  let at = skipSpace(text, text.indexOf('{') + 1)
  while (text[at] === '"') {
    const nameEnd = skipValue(text, at)
    const memberName = JSON.parse(text.slice(at, nameEnd)) as string
    // Behind the name come spaces, a colon and spaces.
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, start)
    if (memberName === name) found = text.slice(start, end)
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return found
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  return at
}

/** Behind the value that begins at `start`. */
function skipValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = stringEnd(text, at)
        if (depth === 0) return at + 1
        break
      case '{':
      case '[':
        depth++
        break
      case '}':
      case ']':
        if (depth === 0) return at
        depth--
        if (depth === 0) return at + 1
        break
      case ',':
      case ' ':
      case '\t':
        if (depth === 0) return at
        break
    }
  }
  return text.length
}

/** The closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
