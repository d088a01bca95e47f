import { crc32, utf8Decode, utf8Encode } from '@firn/bytes'
import {
  CorruptionError,
  type Env,
  FormatVersionError,
  InvalidArgumentError,
  isFirnError,
  isUlid,
  readUndamaged,
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
  /**
   * Where the caller means to find the commit log, as the `log` parameter of a location says it:
   * 'file', 'objects', 'dynamodb:TABLE'. A new database gets it for good; of any other it must be
   * true. Default: not known, and not checked.
   */
  log?: string | undefined
  /** What to call the store in messages, such as its location without credentials. */
  place?: string | undefined
  signal?: AbortSignal | undefined
}

export interface Root {
  /** A ULID that no other database has had, not even one of the same name. */
  incarnation: string
  /** Where the log is, if whoever made the database said so. */
  log: string | undefined
  /** Whether this call made the database. */
  created: boolean
}

const FORMAT = 1
// A descriptor has some 150 bytes; what is longer by far isn't one.
const MAX_BYTES = 4096
const LOG = /^[a-z0-9]{1,20}(:[A-Za-z0-9._-]{1,255})?$/

/**
 * Finds the database of a store, or makes one: of any number of callers at once one makes it.
 *
 * Throws `DatabaseNotFoundError`, `InvalidArgumentError` where the database has its log somewhere
 * else than `log` says (a second log beside the first one would be another truth),
 * `FormatVersionError` for a database of a newer format before anything is written,
 * `CorruptionError` for a descriptor that is damaged.
 */
export async function openRoot(store: ObjectStore, options: OpenRootOptions = {}): Promise<Root> {
  const { signal, log } = options
  if (log !== undefined && !LOG.test(log)) {
    throw new InvalidArgumentError(`not a place of a log: ${JSON.stringify(log)}`)
  }
  const found = await readRoot(store, signal)
  if (found !== undefined) return { ...withLog(found, log), created: false }
  if (options.createIfMissing === false) {
    throw new DatabaseNotFoundError(
      `there is no database in ${options.place ?? 'the store'}: it has no object ${ROOT_KEY}; check the location, or open it with mode 'write' and createIfMissing: true, which makes one`,
    )
  }
  const incarnation = ulid(options.env ?? systemEnv)
  try {
    await store.put(ROOT_KEY, encodeRoot({ incarnation, log }), { ifAbsent: true, signal })
    return { incarnation, log, created: true }
  } catch (error) {
    // Somebody else was quicker, or the answer got lost: what is there counts.
    const winner = await readRoot(store, signal)
    if (winner === undefined) throw error
    return { ...withLog(winner, log), created: winner.incarnation === incarnation }
  }
}

function withLog(root: StoredRoot, log: string | undefined): StoredRoot {
  if (log !== undefined && root.log !== undefined && root.log !== log) {
    throw new InvalidArgumentError(
      `the database keeps its log in ${root.log}, not in ${log}; open it with ?log=${root.log}`,
    )
  }
  return root
}

/** What a root descriptor holds. */
export type StoredRoot = Pick<Root, 'incarnation' | 'log'>

/** The root descriptor: JSON, FORMAT.md, "Root". */
export function encodeRoot(root: StoredRoot): Uint8Array {
  const { incarnation, log } = root
  // Its members are in this order, and one that is undefined is left out.
  return utf8Encode(
    `${JSON.stringify({ format: FORMAT, incarnation, log, checksum: checksum(root) })}\n`,
  )
}

/** What is in a root descriptor's bytes. */
export function decodeRoot(bytes: Uint8Array): StoredRoot {
  const value = bytes.length > MAX_BYTES ? undefined : parse(bytes)
  const { format, incarnation, log } = (value ?? {}) as Record<string, unknown>
  if (typeof format === 'number' && Number.isInteger(format) && format > FORMAT) {
    throw new FormatVersionError(
      `${ROOT_KEY}: database format ${format}, this release knows ${FORMAT}; open it with a newer one`,
    )
  }
  if (
    typeof incarnation === 'string' &&
    isUlid(incarnation) &&
    (log === undefined || (typeof log === 'string' && LOG.test(log)))
  ) {
    const expected = encodeRoot({ incarnation, log })
    if (expected.length === bytes.length && expected.every((byte, i) => bytes[i] === byte)) {
      return { incarnation, log }
    }
  }
  throw new CorruptionError(`${ROOT_KEY}: the root descriptor is damaged; restore it from a backup`)
}

async function readRoot(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<StoredRoot | undefined> {
  try {
    return await readUndamaged(async () =>
      decodeRoot((await store.get(ROOT_KEY, { signal })).bytes),
    )
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
function checksum({ incarnation, log = '' }: StoredRoot): string {
  return crc32(utf8Encode(`${FORMAT}:${incarnation}:${log}`))
    .toString(16)
    .padStart(8, '0')
}
