import { equalRanges } from '@firn/bytes'
import { spillPrefix, versionOfKey } from '@firn/commit-log'
import { CorruptionError, isFirnError } from '@firn/env'
import {
  type DatabaseState,
  type FileMeta,
  fileBaseVersion,
  liveFiles,
  sstKey,
  sstPrefix,
} from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { SstReader, type SstSource } from '@firn/sst'
import { closing } from '../closing.js'
import type { Present } from './present-files.js'
import { addProblem, type VerificationReport } from './verification.js'

export interface FileVerification {
  store: ObjectStore
  incarnation: string
  state: DatabaseState
  /** The files that entries of the log have named. */
  named: ReadonlySet<string>
  /**
   * Whether several processes share the log. Then every entry that one of them has read is durable,
   * so the log reaches the version in each file's name.
   */
  isShared: boolean
  /**
   * Returns the database at the moment of the call, `undefined` if that can't be known: a writer
   * may replace files and commit while we read.
   */
  present(): Promise<Present | undefined>
  onProgress(bytes: number): void
}

/** Reads every file that the database needs to its end, and compares it with the manifest. */
export async function verifyFiles(
  verification: FileVerification,
  report: VerificationReport,
): Promise<void> {
  const { store, incarnation, state, present, onProgress } = verification
  const live = new Set<string>()
  let done = 0
  for (const file of liveFiles(state)) {
    live.add(file.id)
    const key = sstKey(incarnation, file.id)
    const problems = await verifyFile(store, key, file, (read) => onProgress(done + read))
    done += file.bytes
    if (problems.length === 0) {
      report.files++
      report.bytes += file.bytes
      report.records += file.records
    } else if ((await present())?.files.has(file.id) !== false) {
      for (const problem of problems) addProblem(report, key, problem)
    }
  }
  await examineOthers(verification, live, report)
}

/**
 * Counts the files that the database doesn't need, by whether an entry ever named them. A file that
 * a writer has just made isn't counted. The names also show how far the log must reach.
 */
async function examineOthers(
  { store, incarnation, named, isShared, present }: FileVerification,
  live: ReadonlySet<string>,
  report: VerificationReport,
): Promise<void> {
  const prefix = sstPrefix(incarnation)
  const others = new Map<string, number>()
  const reach = new LogReach()
  for await (const { key, size } of store.list({ prefix })) {
    const id = key.slice(prefix.length).replace(/\.sst$/, '')
    reach.note(key, fileBaseVersion(id))
    if (!live.has(id)) others.set(id, size)
  }
  const spills = spillPrefix(incarnation)
  for await (const { key } of store.list({ prefix: spills })) {
    // Written before its entry, which comes after an entry that its process had read.
    reach.note(key, (versionOfKey(key, spills) ?? 1) - 1)
  }
  // Read after everything was listed.
  const now = others.size > 0 || reach.version > report.version ? await present() : undefined
  for (const [id, size] of others) {
    if (now?.files.has(id) === true) continue
    const kind = named.has(id) ? report.replaced : report.unreferenced
    kind.files++
    kind.bytes += size
  }
  const end = Math.max(now?.version ?? 0, report.version)
  if (isShared && now !== undefined && reach.version > end) {
    const problem = `it ends at version ${end}, but ${reach.key} was written by a process that had read entry ${reach.version}: entries are missing from its end, as after a table was restored from an old backup`
    addProblem(report, 'commit log', problem)
  }
}

/** The greatest version that the log must have reached, by the names of files. */
class LogReach {
  version = 0
  key = ''

  note(key: string, version: number | undefined): void {
    if (version === undefined || version <= this.version) return
    this.version = version
    this.key = key
  }
}

/** Returns all problems of a file. */
async function verifyFile(
  store: ObjectStore,
  key: string,
  file: FileMeta,
  onProgress: (bytes: number) => void,
): Promise<string[]> {
  const problems: string[] = []
  try {
    const reader = await SstReader.open(objectSource(store, key), {
      fileId: file.id,
      size: file.bytes,
      ...(file.commitFile ? { timestamp: file.minTimestamp } : {}),
    })
    await closing(
      () => reader.close(),
      async () => {
        assertAsListed(reader, file)
        await reader.verify({
          onProblem: (error) => problems.push(error.message),
          onProgress: (bytes) => onProgress(bytes),
        })
      },
    )
  } catch (error) {
    problems.push(problemOf(error))
  }
  return problems
}

const LISTED = [
  'records',
  'deletes',
  'rawKeyBytes',
  'rawValueBytes',
  'tailBytes',
  'minTimestamp',
  'maxTimestamp',
] as const

/** Throws `CorruptionError` unless the file is the one that the manifest describes. */
function assertAsListed(reader: SstReader, file: FileMeta): void {
  for (const name of LISTED) {
    if (reader[name] === file[name]) continue
    throw new CorruptionError(`${name} is ${reader[name]}, but the manifest says ${file[name]}`)
  }
  for (const name of ['smallest', 'largest'] as const) {
    const [own, listed] = [reader[name], file[name]]
    if (equalRanges(own, 0, own.length, listed, 0, listed.length)) continue
    throw new CorruptionError(`its ${name} key differs from the manifest's`)
  }
}

function objectSource(store: ObjectStore, key: string): SstSource {
  return {
    async read(offset, length) {
      const range = { start: offset, end: offset + length }
      return (await store.get(key, { range, immutable: true })).bytes
    },
    async readTail(length) {
      const { bytes, size } = await store.get(key, { range: { start: -length }, immutable: true })
      return { bytes, size }
    },
  }
}

/**
 * Describes a failure of the file. Any other failure (of the network, for example) is thrown again.
 */
function problemOf(error: unknown): string {
  if (isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) return 'the file is missing'
  if (isFirnError(error, 'FIRN_CORRUPTION') || isFirnError(error, 'FIRN_FORMAT_VERSION')) {
    return error.message
  }
  throw error
}
