import { type Database, open, type Table, type TableInfo } from '@firn/engine'
import { isFirnError } from '@firn/env'
import { closing } from './closing.js'
import type { CommandContext } from './command-context.js'
import { CommandError, UsageError } from './errors.js'
import { inCommandWords } from './failure.js'
import type { DatabaseLocation } from './location.js'
import type { EncodingNames } from './text/table-text.js'

/**
 * `read` takes no lock and doesn't disturb a writer; `write` creates no database; `create` does.
 */
export type Access = 'read' | 'write' | 'create'

/** Opens the database for one command, and closes it even if the command fails. */
export async function withDatabase<T>(
  location: DatabaseLocation,
  access: Access,
  context: CommandContext,
  use: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(location, access, context)
  return closing(
    () => database.close(),
    () => use(database),
  )
}

async function openDatabase(
  location: DatabaseLocation,
  access: Access,
  context: CommandContext,
): Promise<Database> {
  try {
    return await open(location.url, {
      mode: access === 'read' ? 'read' : 'write',
      createIfMissing: access === 'create',
      env: context.clock,
    })
  } catch (error) {
    throw openingFailure(error, location)
  }
}

/** Adds advice for the command line to an error of opening a database. */
export function openingFailure(error: unknown, location: DatabaseLocation): unknown {
  if (isFirnError(error, 'FIRN_DATABASE_NOT_FOUND')) {
    return new CommandError(
      error.code,
      `no database at ${location.shown}; create one with \`firn put\` or \`firn load\`, or name another with --db or --path`,
      { cause: error },
    )
  }
  if (isFirnError(error, 'FIRN_INVALID_ARGUMENT')) {
    return new UsageError(inCommandWords(error.message), { cause: error })
  }
  return error
}

/** Returns the listing of a table. Throws `CommandError` if the table doesn't exist. */
export async function tableInfo(
  database: Database,
  name: string,
  location: DatabaseLocation,
): Promise<TableInfo> {
  const tables = await database.tables()
  const info = tables.find((table) => table.name === name)
  if (info !== undefined) return info
  const others = tables.map((table) => table.name)
  throw new CommandError(
    'FIRN_TABLE_NOT_FOUND',
    others.length === 0
      ? `no table ${JSON.stringify(name)} in ${location.shown}, which has no tables yet; create one with \`firn put\` or \`firn load\``
      : `no table ${JSON.stringify(name)} in ${location.shown}; name one of these with --table: ${list(others)}`,
  )
}

/** Returns the encodings of a table, or `undefined` if the table doesn't exist yet. */
export async function encodingsOf(
  database: Database,
  name: string,
): Promise<EncodingNames | undefined> {
  const info = (await database.tables()).find((table) => table.name === name)
  return info === undefined ? undefined : { keys: info.keys, values: info.values }
}

interface StoredBytes {
  name: string
  encode(bytes: Uint8Array): Uint8Array
  decode(bytes: Uint8Array): Uint8Array
}

/**
 * Returns table options that show keys and values as stored, whatever their encodings: each one has
 * the name of the table's encoding, but changes nothing. A table that doesn't exist yet is created
 * with these names.
 */
export function storedBytes(encodings: EncodingNames): { keys: StoredBytes; values: StoredBytes } {
  const named = (name: string): StoredBytes => ({ name, encode: same, decode: same })
  return { keys: named(encodings.keys), values: named(encodings.values) }
}

function same(bytes: Uint8Array): Uint8Array {
  return bytes
}

export type StoredTable = Table<Uint8Array, Uint8Array>

const LISTED = 8

function list(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).join(', ')
  return names.length > LISTED ? `${shown} and ${names.length - LISTED} more` : shown
}
