import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './errors.js'
import type { Io } from './io.js'

const DEFAULT_DIRECTORY = './firn_data'

/** Where the database is: for the engine, and for people. */
export interface DatabaseLocation {
  url: string
  shown: string
}

/**
 * The location that the options name, else the one in `FIRN_DB`, else the default directory.
 * Relative paths start at the current directory.
 */
export function resolveLocation(
  options: { db?: string; path?: string },
  io: Pick<Io, 'env' | 'cwd'>,
): DatabaseLocation {
  if (options.db !== undefined && options.path !== undefined) {
    throw new UsageError('--db and --path both name the database; give one of them')
  }
  if (options.path !== undefined) return directoryLocation(options.path, io.cwd)
  const given = options.db ?? (io.env['FIRN_DB'] || undefined)
  if (given === undefined) return directoryLocation(DEFAULT_DIRECTORY, io.cwd)
  return { url: absolute(given, io.cwd), shown: withoutCredentials(given) }
}

function directoryLocation(path: string, cwd: string): DatabaseLocation {
  if (path === '') throw new UsageError('--path is empty; name a directory')
  return { url: pathToFileURL(resolve(cwd, path)).href, shown: path }
}

/** `file:data` means the directory `data` of the injected working directory. */
function absolute(location: string, cwd: string): string {
  const relative = /^file:(?!\/)([^?#]+.*)$/i.exec(location)?.[1]
  return relative === undefined ? location : `${pathToFileURL(cwd).href}/${relative}`
}

function withoutCredentials(location: string): string {
  return location.replace(/\/\/[^/@]*@/, '//')
}
