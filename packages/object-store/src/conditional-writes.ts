import { isFirnError } from '@firn/env'
import { UnsupportedOperationError } from './errors.js'
import type { ObjectStore, PutOptions } from './object-store.js'

export interface ConditionalWritesOptions {
  /**
   * The object to try it on: it stays, so that the next check is shorter. Default:
   * `conditional-writes`.
   */
  key?: string
  /** Whether replacing with `ifMatch` is needed too. Default true. */
  ifMatch?: boolean
  signal?: AbortSignal | undefined
}

// Of the form that S3's have, and of no object.
const NO_ETAG = '00000000000000000000000000000000'

const CONTENT =
  'Written to find out whether this store keeps to the conditions of writes. May be deleted.\n'

/**
 * Throws `UnsupportedOperationError` where a store takes writes whose condition doesn't hold, as
 * services do that don't know conditions and ignore them: there, one of two writers would silently
 * undo the other. Shows nothing about races. Four puts the first time, two from then on; for stores
 * of unknown make, when a database is opened for writing. Ask the store itself, and ask again where
 * that fails with a retryable error: one that retries can't always tell whether a condition was
 * refused.
 */
export async function assertConditionalWrites(
  store: ObjectStore,
  { key = 'conditional-writes', ifMatch = true, signal }: ConditionalWritesOptions = {},
): Promise<void> {
  let writes = 0
  /** The etag of what was written, or `undefined` where the condition was refused. */
  const write = async (condition: PutOptions): Promise<string | undefined> => {
    try {
      const content = new TextEncoder().encode(`${CONTENT}This is write ${++writes}.\n`)
      return (await store.put(key, content, { ...condition, signal })).etag
    } catch (error) {
      if (isFirnError(error, 'FIRN_PRECONDITION_FAILED')) return undefined
      throw error
    }
  }
  const created = await write({ ifAbsent: true })
  if (created !== undefined && (await write({ ifAbsent: true })) !== undefined) {
    throw unsupported('writes an object with ifAbsent (If-None-Match: *) where there is one')
  }
  if (!ifMatch) return
  if (created !== undefined && (await write({ ifMatch: created })) === undefined) {
    throw unsupported('does not replace an object with ifMatch (If-Match) that names it')
  }
  if ((await write({ ifMatch: NO_ETAG })) !== undefined) {
    throw unsupported('replaces an object with ifMatch (If-Match) that names another')
  }
}

function unsupported(what: string): UnsupportedOperationError {
  return new UnsupportedOperationError(
    `the object store ${what}; it can't keep writers from undoing each other: use another service, or ` +
      'keep the commit log elsewhere',
  )
}
