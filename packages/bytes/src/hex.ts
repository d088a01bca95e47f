import { InvalidArgumentError } from '@firn/env'

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** Two lower-case hexadecimal digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += PAIRS[byte]
  return text
}

/** Decodes hexadecimal digits of either case. Throws `InvalidArgumentError` for anything else. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) {
    throw new InvalidArgumentError(`hexadecimal needs two digits for each byte, got ${text.length}`)
  }
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < text.length; i += 2) {
    bytes[i / 2] = (digit(text, i) << 4) | digit(text, i + 1)
  }
  return bytes
}

function digit(text: string, at: number): number {
  const value = hexDigit(text.charCodeAt(at))
  if (value < 0) throw new InvalidArgumentError(`not a hexadecimal digit at index ${at}`)
  return value
}

/** The value of an ASCII hexadecimal digit; -1 for any other character. */
export function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  const lower = unit | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
