import { messageOf } from '@firn/env'

/** Something that is wrong, and where. */
interface Problem {
  /** The part of the database: an object's key, or the log. */
  where: string
  problem: string
}

/** The findings of a verification. */
export interface VerificationReport {
  ok: boolean
  /** The newest version that the log reaches. */
  version: number
  entries: number
  checkpoints: number
  files: number
  bytes: number
  records: number
  /** Files that no entry ever named: left by a crash, or being written right now. */
  unreferenced: { files: number; bytes: number }
  /** Files that entries added and later entries removed: no version needs them any more. */
  replaced: { files: number; bytes: number }
  problems: Problem[]
}

export function emptyReport(): VerificationReport {
  return {
    ok: true,
    version: 0,
    entries: 0,
    checkpoints: 0,
    files: 0,
    bytes: 0,
    records: 0,
    unreferenced: { files: 0, bytes: 0 },
    replaced: { files: 0, bytes: 0 },
    problems: [],
  }
}

/** Adds a problem to the report. */
export function addProblem(report: VerificationReport, where: string, error: unknown): void {
  report.ok = false
  const problem = messageOf(error)
  report.problems.push({ where, problem })
}
