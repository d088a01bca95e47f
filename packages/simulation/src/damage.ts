import type { Decisions } from './decisions.js'

/** Returns the beginning of some bytes. */
export function truncated(bytes: Uint8Array, decisions: Decisions): Uint8Array {
  return bytes.slice(0, decisions.choose('truncated at', Math.max(1, bytes.length)))
}

/** Returns a copy with one bit flipped. */
export function withFlippedBit(bytes: Uint8Array, decisions: Decisions): Uint8Array {
  const copy = bytes.slice()
  const bit = decisions.choose('flipped bit', Math.max(1, bytes.length * 8))
  const at = bit >>> 3
  if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << (bit & 7))
  return copy
}
