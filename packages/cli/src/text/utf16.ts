/** The text of whole UTF-16 units. A unit that is half of a pair stays what it is. */
export function decodeUtf16(bytes: Uint8Array, order: 'le' | 'be'): string {
  const copy = Buffer.from(bytes)
  return (order === 'le' ? copy : copy.swap16()).toString('utf16le')
}

/** Whether no unit of the text is half of a pair. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}
