import path from 'node:path'
import { InvalidArgumentError } from '@firn/env'

// Maps keys to file names and back: FORMAT.md is normative. Never to change.
//
// 1. A key's segments become directories, the last one a file.
// 2. A name equals its key wherever that is safe, which holds for every key Firn makes.
// 3. Two keys never share a path, not even if the file system ignores case, and a path never has to
//    be a file and a directory at once. Marks made of ',' and '!', which no key contains, ensure
//    it.

export type NameKind = 'file' | 'directory'

/** Holds files that aren't objects. ',' alone before a name marks only reserved words. */
export const TEMP_DIRECTORY = ',tmp'
export const LOCK_DIRECTORY = ',lock'

/** The longest name that common file systems accept. */
const MAX_NAME_BYTES = 255

const WORD = /[A-Za-z0-9]+/g
const ULID_WORD = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/
const FILE_LIKE = /\.|^\d{20}|^FIRN$/
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i
const NAME = /^(,?)([A-Za-z0-9._=@+-]+)(,?)(?:!([0-9a-f]+))?$/

/**
 * Returns the name of a key's segment as a file or directory. Throws `InvalidArgumentError` if it
 * is too long for a file system.
 */
export function nameOf(segment: string, kind: NameKind): string {
  const reserved = RESERVED.test(segment) ? ',' : ''
  const unusual = FILE_LIKE.test(segment) === (kind === 'file') ? '' : ','
  const canonical = segment.replace(WORD, canonicalWord)
  let spelling = ''
  if (canonical !== segment) spelling = `!${differences(segment, canonical).toString(16)}`
  else if (segment.endsWith('.') && unusual === '') spelling = '!0'
  const name = `${reserved}${segment}${unusual}${spelling}`
  if (name.length > MAX_NAME_BYTES) {
    throw new InvalidArgumentError(
      `a segment of an object key makes a file name of ${name.length} bytes, more than the ` +
        `${MAX_NAME_BYTES} that file systems allow: split it with '/'`,
    )
  }
  return name
}

/** The path of a key's file below a directory. */
export function pathOf(directory: string, key: string): string {
  const segments = key.split('/')
  const last = segments.length - 1
  let file = directory
  for (let i = 0; i < last; i++) file += path.sep + nameOf(segments[i] ?? '', 'directory')
  return file + path.sep + nameOf(segments[last] ?? '', 'file')
}

/** The segment that a name stands for; `undefined` if this store doesn't make such names. */
export function segmentOf(name: string, kind: NameKind): string | undefined {
  const segment = NAME.exec(name)?.[2]
  if (segment === undefined || segment === '.' || segment === '..') return undefined
  return name.length <= MAX_NAME_BYTES && nameOf(segment, kind) === name ? segment : undefined
}

// Of the spellings of a word that differ only in case, one needs no mark: Firn's own.
function canonicalWord(word: string): string {
  const upper = word.toUpperCase()
  return upper === 'FIRN' || ULID_WORD.test(upper) ? upper : word.toLowerCase()
}

/** Bit i is set if character i differs. */
function differences(a: string, b: string): bigint {
  let bits = 0n
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) bits |= 1n << BigInt(i)
  return bits
}
