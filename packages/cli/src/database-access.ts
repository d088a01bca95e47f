import { type Database, open, type Table, type TableInfo } from '@firn/engine'
import { isFirnError } from '@firn/env'
import { closing } from './closing.js'
import type { CommandContext } from './command-context.js'
import { CommandError, UsageError } from './errors.js'
import { inCommandWords } from './failure.js'
import type { DatabaseLocation } from './location.js'
import type { EncodingNames } from './text/table-text.js'

/** `read` takes no lock and leaves a writer alone; `write` makes no database; `create` does. */
export type Access = 'read' | 'write' | 'create'

/** Opens the database for one command, and closes it whatever comes of that. */
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

/** The error of opening a database, with what to do about it on the command line. */
export function openingFailure(error: unknown, location: DatabaseLocation): unknown {
  if (isFirnError(error, 'FIRN_DATABASE_NOT_FOUND')) {
    return new CommandError(
      error.code,
      `no database at ${location.shown}; \`firn put\` or \`firn load\` makes one, --db or --path names another`,
      { cause: error },
    )
  }
  if (isFirnError(error, 'FIRN_INVALID_ARGUMENT')) {
    return new UsageError(inCommandWords(error.message), { cause: error })
  }
  return error
}

/** The listing of a table that must be there. */
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
      ? `no table ${JSON.stringify(name)} in ${location.shown}, which has none yet; \`firn put\` or \`firn load\` makes one`
      : `no table ${JSON.stringify(name)} in ${location.shown}; name one with --table: ${list(others)}`,
  )
}

/** The encodings of a table, or `undefined` where there is no such table yet. */
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
 * Options that show a table's keys and values as they are stored, whatever its encodings: under
 * their names, an encoding that changes nothing. A table that doesn't exist yet is created with
 * these names.
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
