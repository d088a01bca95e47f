const C1 = 0xcc9e2d51
const C2 = 0x1b873593

/**
 * MurmurHash3_x86_32 of `bytes[start, end)`, as an unsigned 32-bit number. For filters and hash
 * tables; it doesn't resist an adversary. The range must lie within `bytes`; this isn't checked.
 * Filters persist the hash, so it never changes. https://github.com/aappleby/smhasher
 *
 * `as number`: the indexes stay below `end`.
 */
export function hashRange(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0
  let i = start
  for (const last = end - 4; i <= last; i += 4) {
    let word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    word = Math.imul(word, C1)
    word = (word << 15) | (word >>> 17)
    hash ^= Math.imul(word, C2)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  if (i < end) {
    let word = bytes[i] as number
    if (i + 1 < end) word |= (bytes[i + 1] as number) << 8
    if (i + 2 < end) word |= (bytes[i + 2] as number) << 16
    word = Math.imul(word, C1)
    word = (word << 15) | (word >>> 17)
    hash ^= Math.imul(word, C2)
  }
  hash ^= end - start
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
