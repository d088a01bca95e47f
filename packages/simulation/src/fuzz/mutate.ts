import { ByteWriter } from '@firn/bytes'
import type { Random } from '../random.js'

// Numbers at which lengths, counts, signs and varints change their form.
const NUMBERS: readonly number[] = [
  0,
  1,
  2,
  4,
  0x10,
  0x20,
  0x7f,
  0x80,
  0xff,
  0x100,
  0x3fff,
  0x4000,
  0xffff,
  0x1_0000,
  0x20_0000,
  0x1000_0000,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
  0x1_0000_0000,
  Number.MAX_SAFE_INTEGER - 1,
  Number.MAX_SAFE_INTEGER,
]

/** The greatest length that an input grows to: enough to show what a few bytes can cause. */
const MAX_INPUT_BYTES: number = 256 * 1024

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array

/**
 * Picks the place of a mutation: the ends of an input are likely, because formats have their
 * headers there.
 */
function place(bytes: Uint8Array, random: Random): number {
  const near = Math.min(64, bytes.length)
  const kind = random.below(4)
  if (kind === 0) return random.below(near)
  if (kind === 1) return bytes.length - 1 - random.below(near)
  return random.below(bytes.length)
}

/** Picks a part of an input, mostly short. */
function stretch(bytes: Uint8Array, random: Random): { start: number; end: number } {
  const start = place(bytes, random)
  const longest = random.below(4) === 0 ? bytes.length - start : 16
  return { start, end: Math.min(bytes.length, start + 1 + random.below(longest)) }
}

/** Returns `bytes` with `[start, end)` replaced. */
function replace(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - (end - start) + by.length)
  result.set(bytes.subarray(0, start))
  result.set(by, start)
  result.set(bytes.subarray(end), start + by.length)
  return result
}

/**
 * An interesting number, or one nearby, as bytes: a varint, or two, four or eight bytes, little
 * endian.
 */
function numberBytes(random: Random): Uint8Array {
  const exact = NUMBERS[random.below(NUMBERS.length)] as number
  const near = exact + random.below(5) - 2
  const value = random.below(2) === 0 && near >= 0 && Number.isSafeInteger(near) ? near : exact
  const out = new ByteWriter(10)
  const form = random.below(4)
  if (form === 0) out.varint(value)
  else if (form === 1) out.u16(value % 0x1_0000)
  else if (form === 2) out.u32(value % 2 ** 32)
  else out.u64(value)
  // All bits set, and a varint that never ends, aren't numbers of a format.
  return random.below(16) === 0 ? new Uint8Array(1 + random.below(10)).fill(0xff) : out.take()
}

const MUTATIONS: readonly Mutation[] = [
  // Flips a bit.
  (bytes, random) => {
    const at = place(bytes, random)
    return replace(bytes, at, at + 1, Uint8Array.of((bytes[at] as number) ^ (1 << random.below(8))))
  },
  // Changes a byte: to any value, to one at a border, or by a little.
  (bytes, random) => {
    const at = place(bytes, random)
    const byte = bytes[at] as number
    const values = [random.below(256), 0, 1, 0x7f, 0x80, 0xff, byte + 1, byte - 1]
    return replace(bytes, at, at + 1, Uint8Array.of(values[random.below(values.length)] as number))
  },
  // Puts a number in place of as many bytes or of one (a varint that grows), or between others.
  (bytes, random) => {
    const at = place(bytes, random)
    const number = numberBytes(random)
    const width = [number.length, 1, 0][random.below(3)] as number
    return replace(bytes, at, Math.min(bytes.length, at + width), number)
  },
  // Changes a fixed-width number by a little.
  (bytes, random) => {
    const at = place(bytes, random)
    const copy = bytes.slice()
    let carry = random.below(17) - 8
    for (let i = at; i < Math.min(at + 4, copy.length); i++) {
      const sum = (copy[i] as number) + carry
      copy[i] = sum
      carry = sum >> 8
    }
    return copy
  },
  // Cuts off the end.
  (bytes, random) => bytes.slice(0, place(bytes, random)),
  // Removes a part, makes it random, doubles it, or takes it from another input.
  (bytes, random) => {
    const { start, end } = stretch(bytes, random)
    return replace(bytes, start, end, new Uint8Array(0))
  },
  (bytes, random) => {
    const at = place(bytes, random)
    return replace(bytes, at, at, random.bytes(1 + random.below(16)))
  },
  (bytes, random) => {
    const { start, end } = stretch(bytes, random)
    const at = place(bytes, random)
    return replace(bytes, at, Math.min(bytes.length, at + end - start), bytes.slice(start, end))
  },
  (bytes, random) => {
    const { start, end } = stretch(bytes, random)
    return replace(bytes, end, end, bytes.slice(start, end))
  },
  (bytes, random, other) => {
    const { start, end } = stretch(bytes, random)
    if (other.length === 0) return bytes
    const taken = stretch(other, random)
    return replace(bytes, start, end, other.slice(taken.start, taken.end))
  },
  // Joins the beginning of one input to the end of another.
  (bytes, random, other) =>
    replace(bytes, place(bytes, random), bytes.length, other.slice(random.below(other.length + 1))),
]

/** Repeats a part again and again: many small things instead of a few. */
function repeated(bytes: Uint8Array, random: Random): Uint8Array {
  const { start, end } = stretch(bytes, random)
  const most = Math.floor((MAX_INPUT_BYTES - bytes.length) / (end - start))
  const times = Math.min(most, 2 ** random.below(18))
  const run = new Uint8Array(Math.max(0, times) * (end - start))
  for (let at = 0; at < run.length; at += end - start) run.set(bytes.subarray(start, end), at)
  return replace(bytes, end, end, run)
}

/** Makes one to six changes to an input; some of them take bytes from `other`. */
export function mutate(
  bytes: Uint8Array,
  other: Uint8Array,
  random: Random,
  words: readonly Uint8Array[] = [],
): Uint8Array {
  let result = bytes
  for (let left = 1 + random.below(random.below(2) === 0 ? 2 : 6); left > 0; left--) {
    if (result.length === 0) return random.bytes(random.below(64))
    if (words.length > 0 && random.below(3) === 0) {
      const { start, end } = stretch(result, random)
      const word = words[random.below(words.length)] as Uint8Array
      result = replace(result, start, random.below(2) === 0 ? start : end, word)
    } else if (random.below(200) === 0) result = repeated(result, random)
    else {
      const mutation = MUTATIONS[random.below(MUTATIONS.length)] as Mutation
      result = mutation(result, random, other)
    }
  }
  return result.length > MAX_INPUT_BYTES ? result.slice(0, MAX_INPUT_BYTES) : result
}
