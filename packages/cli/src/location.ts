import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { absolutePath } from '@firn/vfs'
import { UsageError } from './errors.js'
import type { Io } from './io.js'

const DEFAULT_DIRECTORY = './firn_data'

/** The location of a database, as the engine needs it and as people read it. */
export interface DatabaseLocation {
  url: string
  shown: string
}

/**
 * Returns the location that the options name, else the one in `FIRN_DB`, else the default
 * directory. Relative paths start at the current directory.
 */
export function resolveLocation(
  options: { db?: string; path?: string },
  io: Pick<Io, 'env' | 'cwd'>,
): DatabaseLocation {
  if (options.db !== undefined && options.path !== undefined) {
    throw new UsageError('--db and --path both name the database; use only one of them')
  }
  if (options.path !== undefined) {
    if (options.path === '') throw new UsageError('--path is empty; name a directory')
    return directoryLocation(options.path, io)
  }
  const given = options.db ?? (io.env['FIRN_DB'] || undefined)
  if (given === undefined) return directoryLocation(DEFAULT_DIRECTORY, io)
  return { url: absolute(given, io), shown: withoutCredentials(given) }
}

/** Resolves the path of a file or directory from the command line against the working directory. */
export function pathOf(path: string, what: string, io: Pick<Io, 'cwd'>): string {
  return absolutePath(path, what, isAbsolute(path) ? path : io.cwd)
}

function directoryLocation(path: string, io: Pick<Io, 'cwd'>): DatabaseLocation {
  return { url: pathToFileURL(pathOf(path, '--path', io)).href, shown: path }
}

/**
 * Resolves `file:data` to the directory `data` in the injected working directory. A path that
 * begins with `~` is left for the engine to refuse.
 */
function absolute(location: string, io: Pick<Io, 'cwd'>): string {
  const relative = /^file:(?!\/|(?:~|%7e)(?:[/?#]|$))([^?#]+.*)$/i.exec(location)?.[1]
  return relative === undefined ? location : `${pathToFileURL(io.cwd).href}/${relative}`
}

function withoutCredentials(location: string): string {
  return location.replace(/\/\/[^/@]*@/, '//')
}
