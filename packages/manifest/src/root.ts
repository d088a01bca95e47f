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
  /** Whether to create the database if there is none. Default true. */
  createIfMissing?: boolean
  /**
   * Where the caller expects the commit log, written as in the `log` parameter of a location:
   * 'file', 'objects', 'dynamodb:TABLE'. A new database records it for good. If an existing
   * database recorded another place, opening it throws. Default: unknown, not checked.
   */
  log?: string | undefined
  /** Name of the store in messages, such as its location without credentials. */
  place?: string | undefined
  signal?: AbortSignal | undefined
}

export interface Root {
  /** A ULID that no other database ever had, not even one of the same name. */
  incarnation: string
  /** Place of the log, if the database was created with one. */
  log: string | undefined
  /** Whether this call created the database. */
  created: boolean
}

const FORMAT = 1
// A descriptor takes some 150 bytes; something far longer isn't one.
const MAX_BYTES = 4096
const LOG = /^[a-z0-9]{1,20}(:[A-Za-z0-9._-]{1,255})?$/

/**
 * Finds the database of a store, or creates it. Of several callers at once, one creates it.
 *
 * Throws:
 * - `DatabaseNotFoundError` if there is none and `createIfMissing` is false.
 * - `InvalidArgumentError` if the database has its log in another place than `log`. A second log
 *   would be a second, different history.
 * - `FormatVersionError` for a database of a newer format, before anything is written.
 * - `CorruptionError` for a damaged descriptor.
 */
export async function openRoot(store: ObjectStore, options: OpenRootOptions = {}): Promise<Root> {
  const { signal, log } = options
  if (log !== undefined && !LOG.test(log)) {
    throw new InvalidArgumentError(`not the place of a log: ${JSON.stringify(log)}`)
  }
  const found = await readRoot(store, signal)
  if (found !== undefined) return { ...withLog(found, log), created: false }
  if (options.createIfMissing === false) {
    throw new DatabaseNotFoundError(
      `there is no database in ${options.place ?? 'the store'}: it has no object ${ROOT_KEY}; check the location, or create a database with mode 'write' and createIfMissing: true`,
    )
  }
  const incarnation = ulid(options.env ?? systemEnv)
  try {
    await store.put(ROOT_KEY, encodeRoot({ incarnation, log }), { ifAbsent: true, signal })
    return { incarnation, log, created: true }
  } catch (error) {
    // Another process was first, or the answer got lost: the stored descriptor decides.
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

/** Content of a root descriptor. */
export type StoredRoot = Pick<Root, 'incarnation' | 'log'>

/** Encodes the root descriptor, as JSON: FORMAT.md, "Root". */
export function encodeRoot(root: StoredRoot): Uint8Array {
  const { incarnation, log } = root
  // JSON.stringify keeps this order of members, and leaves out an undefined one.
  return utf8Encode(
    `${JSON.stringify({ format: FORMAT, incarnation, log, checksum: checksum(root) })}\n`,
  )
}

/** Decodes the root descriptor. */
export function decodeRoot(bytes: Uint8Array): StoredRoot {
  const value = bytes.length > MAX_BYTES ? undefined : parse(bytes)
  const { format, incarnation, log } = (value ?? {}) as Record<string, unknown>
  if (typeof format === 'number' && Number.isInteger(format) && format > FORMAT) {
    throw new FormatVersionError(
      `${ROOT_KEY}: database format ${format}, this release knows ${FORMAT}; open it with a newer release`,
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

/** Protects the incarnation: with one bit flipped, the database would look empty. */
function checksum({ incarnation, log = '' }: StoredRoot): string {
  return crc32(utf8Encode(`${FORMAT}:${incarnation}:${log}`))
    .toString(16)
    .padStart(8, '0')
}
