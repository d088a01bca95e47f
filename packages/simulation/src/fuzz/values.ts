import { ulidFromBytes } from '@firn/env'
import type { Random } from '../random.js'

/** A whole number of any size up to 2^53 - 1; small ones are as likely as large ones. */
export function someNumber(random: Random): number {
  return Math.floor(random.number() * 2 ** random.below(54))
}

export function someBytes(random: Random, most = 40): Uint8Array {
  return random.bytes(random.below(most + 1))
}

const CHARACTERS = ['a', 'Z', '0', '_', ' ', '"', '\\', '\0', 'é', '漢', '😀', '\u2028', '\ufeff']

export function someText(random: Random, most = 12): string {
  let text = ''
  for (let left = random.below(most + 1); left > 0; left--) {
    text += CHARACTERS[random.below(CHARACTERS.length)]
  }
  return text
}

export function someUlid(random: Random): string {
  return ulidFromBytes(random.bytes(16))
}
