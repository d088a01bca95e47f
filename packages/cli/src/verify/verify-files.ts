import { equalRanges } from '@firn/bytes'
import { CorruptionError, isFirnError } from '@firn/env'
import { type DatabaseState, type FileMeta, liveFiles, sstKey, sstPrefix } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { SstReader, type SstSource } from '@firn/sst'
import { closing } from '../closing.js'
import { addProblem, type VerificationReport } from './verification.js'

export interface FileVerification {
  store: ObjectStore
  incarnation: string
  state: DatabaseState
  /**
   * The files that the database needs at the moment of the call, `undefined` where that can't be
   * known: a writer may replace some while we look.
   */
  presentFiles(): Promise<ReadonlySet<string> | undefined>
  onProgress(bytes: number): void
}

/** Reads every file that the database needs, whole, and compares it with what the manifest says. */
export async function verifyFiles(
  verification: FileVerification,
  report: VerificationReport,
): Promise<void> {
  const { store, incarnation, state, presentFiles, onProgress } = verification
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
    } else if ((await presentFiles())?.has(file.id) !== false) {
      for (const problem of problems) addProblem(report, key, problem)
    }
  }
  await countUnreferenced(verification, live, report)
}

/** Counts the files that no entry names; what a writer just made isn't among them. */
async function countUnreferenced(
  { store, incarnation, presentFiles }: FileVerification,
  live: ReadonlySet<string>,
  report: VerificationReport,
): Promise<void> {
  const prefix = sstPrefix(incarnation)
  const unknown = new Map<string, number>()
  for await (const { key, size } of store.list({ prefix })) {
    const id = key.slice(prefix.length).replace(/\.sst$/, '')
    if (!live.has(id)) unknown.set(id, size)
  }
  const present = unknown.size === 0 ? undefined : await presentFiles()
  for (const [id, size] of unknown) {
    if (present?.has(id) === true) continue
    report.unreferenced.files++
    report.unreferenced.bytes += size
  }
}

/** All that is wrong with a file. */
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

/** The file is the one that the manifest means. */
function assertAsListed(reader: SstReader, file: FileMeta): void {
  for (const name of LISTED) {
    if (reader[name] === file[name]) continue
    throw new CorruptionError(`${name} is ${reader[name]}, the manifest says ${file[name]}`)
  }
  for (const name of ['smallest', 'largest'] as const) {
    const [own, listed] = [reader[name], file[name]]
    if (equalRanges(own, 0, own.length, listed, 0, listed.length)) continue
    throw new CorruptionError(`its ${name} key is another than the manifest says`)
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

/** In words; a failure that isn't the file's (of the network, say) is thrown. */
function problemOf(error: unknown): string {
  if (isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) return 'the file is missing'
  if (isFirnError(error, 'FIRN_CORRUPTION') || isFirnError(error, 'FIRN_FORMAT_VERSION')) {
    return error.message
  }
  throw error
}
