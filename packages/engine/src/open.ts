import { absoluteDirectory } from '#directory'
import type { Database } from './database.js'
import { takeOpenArguments } from './internal/arguments/open-options.js'
import { locate } from './internal/open/locate.js'
import { openDatabase } from './internal/open/open-database.js'
import type { DatabaseParts, OpenOptions } from './open-options.js'

/**
 * Opens a database by its location, or from ready-made parts.
 *
 * - `memory:` exists until it is closed; `memory:name` until the process ends, and the same name is
 *   the same database.
 * - `file:./data` is a directory that one process at a time writes to.
 * - `file:./data?log=objects` is a directory that many processes write to.
 * - `s3://bucket/prefix?log=dynamodb:TABLE` keeps data in S3 and the commit log in a DynamoDB
 *   table, for any number of processes. The table is 'firn' if the location names none. Needs the
 *   packages `@firn/object-store-s3` and `@firn/manifest-dynamodb`, which take region, credentials
 *   and endpoints as the AWS SDK does.
 * - `s3://bucket/prefix?log=objects` keeps data and log in S3.
 *
 * Throws `InvalidArgumentError` for an invalid location or option, `DatabaseNotFoundError` if no
 * database exists and none is to be created, `LockedError` while another process has the directory
 * open for writing, `FormatVersionError` for a database of a newer release, and `CorruptionError`
 * if stored data is damaged.
 *
 * ```ts
 * await using db = await open('file:./data')
 * const users = db.table('users', { keys: 'utf8', values: 'json' })
 * await users.put('ada', { born: 1815 })
 * ```
 */
export async function open(
  location: string | DatabaseParts,
  options?: OpenOptions,
): Promise<Database> {
  const taken = takeOpenArguments(location, options)
  taken.options.signal?.throwIfAborted()
  const all = withAbsolutePaths(taken.options)
  return openDatabase(await locate(taken.location, all), all)
}

/** Resolves paths at the call: the process may change its working directory later. */
function withAbsolutePaths<T extends OpenOptions>(options: T): T {
  const { cache } = options
  if (cache?.disk === undefined) return options
  const directory = absoluteDirectory(cache.disk.directory, 'cache.disk.directory')
  return { ...options, cache: { ...cache, disk: { ...cache.disk, directory } } }
}
