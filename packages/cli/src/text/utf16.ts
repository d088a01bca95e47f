/** Decodes whole UTF-16 units. A unit that is half of a pair stays as it is. */
export function decodeUtf16(bytes: Uint8Array, order: 'le' | 'be'): string {
  const copy = Buffer.from(bytes)
  return (order === 'le' ? copy : copy.swap16()).toString('utf16le')
}

/** Whether the text has no unit that is half of a pair. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}
