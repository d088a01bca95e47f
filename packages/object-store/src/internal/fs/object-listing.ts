import path from 'node:path'
import { type DirectoryEntry, type FileSystem, isMissing } from '@firn/vfs'
import type { ListOptions } from '../../object-store.js'
import type { Directories } from './directories.js'
import { LOCK_DIRECTORY, nameOf, segmentOf, TEMP_DIRECTORY } from './file-names.js'

/**
 * Lists the keys below a directory in byte order, with one directory per level in memory.
 *
 * A directory is sorted with a '/' behind its name: all its keys begin that way, and 'a-b' and
 * 'a.b' must come before 'a/b'. Symbolic links and foreign names are skipped.
 */
export async function* listKeys(
  files: FileSystem,
  directories: Directories,
  base: string,
  options: ListOptions,
): AsyncGenerator<string, void, undefined> {
  const { prefix = '', startAfter = '', signal } = options
  const whole = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const top = path.join(
    base,
    ...whole
      .split('/')
      .slice(0, -1)
      .map((segment) => nameOf(segment, 'directory')),
  )
  try {
    directories.assertInside(top)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  yield* below(top, whole)

  async function* below(directory: string, parent: string): AsyncGenerator<string> {
    signal?.throwIfAborted()
    for (const entry of await sortedEntries(directory, parent)) {
      const key = parent + entry
      if (entry.endsWith('/')) {
        const name = nameOf(entry.slice(0, -1), 'directory')
        yield* below(path.join(directory, name), key)
      } else yield key
    }
  }

  /** The entries of a directory that may hold wanted keys; subdirectories end in '/'. */
  async function sortedEntries(directory: string, parent: string): Promise<string[]> {
    const entries: string[] = []
    for (const entry of await entriesOf(files, directory)) {
      const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : undefined
      if (kind === undefined || entry.name === TEMP_DIRECTORY || entry.name === LOCK_DIRECTORY) {
        continue
      }
      const segment = segmentOf(entry.name, kind)
      if (segment === undefined) continue
      const relative = kind === 'directory' ? `${segment}/` : segment
      const key = parent + relative
      // A directory below the prefix, or on the way to it.
      if (!key.startsWith(prefix) && !(kind === 'directory' && prefix.startsWith(key))) continue
      if (key <= startAfter && !(kind === 'directory' && startAfter.startsWith(key))) continue
      entries.push(relative)
    }
    return entries.sort()
  }
}

async function entriesOf(files: FileSystem, directory: string): Promise<DirectoryEntry[]> {
  try {
    return await files.list(directory)
  } catch (error) {
    // No store yet, or a directory that was removed after its parent was read.
    if (isMissing(error)) return []
    throw error
  }
}
