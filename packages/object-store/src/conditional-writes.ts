import { isFirnError } from '@firn/env'
import { UnsupportedOperationError } from './errors.js'
import type { ObjectStore, PutOptions } from './object-store.js'

export interface ConditionalWritesOptions {
  /**
   * Key of the object for the check. The object stays, which shortens the next check. Default:
   * `conditional-writes`.
   */
  key?: string
  /** Whether to check `ifMatch` as well. Default true. */
  ifMatch?: boolean
  signal?: AbortSignal | undefined
}

// An etag like S3's, but of no object.
const NO_ETAG = '00000000000000000000000000000000'

const CONTENT =
  'Written to find out whether this store keeps to the conditions of writes. May be deleted.\n'

/**
 * Throws `UnsupportedOperationError` if a store accepts writes whose condition doesn't hold. Some
 * services ignore conditions that they don't know, and one of two writers would then silently undo
 * the other. Doesn't test races. Takes four puts the first time, and two after that. Meant for
 * stores of unknown make, when a database is opened for writing.
 *
 * Pass the store itself, not one that retries, which can't always tell whether a condition was
 * refused. Call again after a retryable error.
 */
export async function assertConditionalWrites(
  store: ObjectStore,
  { key = 'conditional-writes', ifMatch = true, signal }: ConditionalWritesOptions = {},
): Promise<void> {
  let writes = 0
  /** Returns the etag of the write, or `undefined` if its condition was refused. */
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
    throw unsupported('overwrites an existing object despite ifAbsent (If-None-Match: *)')
  }
  if (!ifMatch) return
  if (created !== undefined && (await write({ ifMatch: created })) === undefined) {
    throw unsupported("refuses to replace an object with ifMatch (If-Match) of the object's etag")
  }
  if ((await write({ ifMatch: NO_ETAG })) !== undefined) {
    throw unsupported('replaces an object despite ifMatch (If-Match) of another etag')
  }
}

function unsupported(what: string): UnsupportedOperationError {
  return new UnsupportedOperationError(
    `the object store ${what}, so it can't keep writers from undoing each other; use another ` +
      'service, or keep the commit log elsewhere',
  )
}
