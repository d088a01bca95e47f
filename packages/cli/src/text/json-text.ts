import { utf8OrUndefined } from './byte-text.js'

/**
 * Returns the JSON text that these bytes are, on one line and otherwise as stored: parsing it would
 * lose digits of long numbers. Returns `undefined` if they aren't JSON.
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

/**
 * Returns the texts of all members with this name in the valid JSON object `text`, as they stand
 * there.
 */
export function jsonMemberTexts(text: string, name: string): string[] {
  const found: string[] = []
  let at = skipSpace(text, text.indexOf('{') + 1)
  while (text[at] === '"') {
    const nameEnd = skipValue(text, at)
    // After the name come spaces, a colon and spaces.
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, start)
    if (nameOf(text, at, nameEnd) === name) found.push(text.slice(start, end))
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return found
}

/** Returns the text of the element at this index in the valid JSON array `text`. */
export function jsonElementText(text: string, index: number): string | undefined {
  let at = skipSpace(text, text.indexOf('[') + 1)
  for (let i = 0; text[at] !== ']' && at < text.length; i++) {
    const end = skipValue(text, at)
    if (i === index) return text.slice(at, end)
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return undefined
}

/** Decodes the string from `start` to `end`, quotes included. */
function nameOf(text: string, start: number, end: number): string {
  const name = text.slice(start + 1, end - 1)
  return name.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : name
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  return at
}

/** Returns the index after the value of valid JSON that begins at `start`. */
export function skipValue(text: string, start: number): number {
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
      case '\r':
      case '\n':
        if (depth === 0) return at
        break
    }
  }
  return text.length
}

/** Returns the index of the closing quote of the string that opens at `start`. */
export function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
