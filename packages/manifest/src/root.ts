import { crc32, utf8Decode, utf8Encode } from '@firn/bytes'
import {
  CorruptionError,
  type Env,
  FormatVersionError,
  isFirnError,
  isUlid,
  systemEnv,
  ulid,
} from '@firn/env'
import type { ObjectStore } from '@firn/object-store'
import { DatabaseNotFoundError } from './errors.js'
import { ROOT_KEY } from './object-keys.js'

export interface OpenRootOptions {
  env?: Env
  /** Whether to make a database where there is none. Default true. */
  createIfMissing?: boolean
  signal?: AbortSignal | undefined
}

export interface Root {
  /** A ULID that no other database has had, not even one of the same name. */
  incarnation: string
  /** Whether this call made the database. */
  created: boolean
}

const FORMAT = 1
// A descriptor has 100 bytes; what is longer by far isn't one.
const MAX_BYTES = 4096

/**
 * Finds the database of a store, or makes one: of any number of callers at once one makes it.
 *
 * Throws `DatabaseNotFoundError`, `FormatVersionError` for a database of a newer format before
 * anything is written, `CorruptionError` for a descriptor that is damaged.
 */
export async function openRoot(store: ObjectStore, options: OpenRootOptions = {}): Promise<Root> {
  const { signal } = options
  const found = await readRoot(store, signal)
  if (found !== undefined) return { incarnation: found, created: false }
  if (options.createIfMissing === false) {
    throw new DatabaseNotFoundError(
      `there is no database here: no object ${ROOT_KEY}; check the location, or open with createIfMissing`,
    )
  }
  const incarnation = ulid(options.env ?? systemEnv)
  try {
    await store.put(ROOT_KEY, encodeRoot(incarnation), { ifAbsent: true, signal })
    return { incarnation, created: true }
  } catch (error) {
    // Somebody else was quicker, or the answer got lost: what is there counts.
    const winner = await readRoot(store, signal)
    if (winner !== undefined) return { incarnation: winner, created: winner === incarnation }
    throw error
  }
}

/** The root descriptor: JSON, FORMAT.md, "Root". */
export function encodeRoot(incarnation: string): Uint8Array {
  return utf8Encode(
    `${JSON.stringify({ format: FORMAT, incarnation, checksum: checksum(incarnation) })}\n`,
  )
}

/** The incarnation in a root descriptor's bytes. */
export function decodeRoot(bytes: Uint8Array): string {
  const value = bytes.length > MAX_BYTES ? undefined : parse(bytes)
  const { format, incarnation } = (value ?? {}) as { format?: unknown; incarnation?: unknown }
  if (typeof format === 'number' && Number.isInteger(format) && format > FORMAT) {
    throw new FormatVersionError(
      `${ROOT_KEY}: database format ${format}, this release knows ${FORMAT}; open it with a newer one`,
    )
  }
  if (typeof incarnation === 'string' && isUlid(incarnation)) {
    const expected = encodeRoot(incarnation)
    if (expected.length === bytes.length && expected.every((byte, i) => bytes[i] === byte)) {
      return incarnation
    }
  }
  throw new CorruptionError(`${ROOT_KEY}: the root descriptor is damaged; restore it from a backup`)
}

async function readRoot(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return decodeRoot((await store.get(ROOT_KEY, { signal })).bytes)
  } catch (error) {
    if (isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) return undefined
    throw error
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Decode(bytes))
  } catch {
    return undefined
  }
}

/** One flipped bit of the incarnation would make another database of this one, an empty one. */
function checksum(incarnation: string): string {
  return crc32(utf8Encode(`${FORMAT}:${incarnation}`))
    .toString(16)
    .padStart(8, '0')
}
