import fs from 'node:fs'
import path from 'node:path'
import type { CommitLog, LogEntry, NewLogEntry } from '../src/index.js'
import { collect, newEntry } from './fixtures.js'

/** Appends versions `from` to `to` with payloads of some bytes, one durable before the next. */
export async function fill(
  log: CommitLog,
  from: number,
  to: number,
  payloadBytes = 20,
): Promise<NewLogEntry[]> {
  const entries: NewLogEntry[] = []
  for (let version = from; version <= to; version++) {
    const entry = newEntry(version, new Uint8Array(payloadBytes).fill(version))
    entries.push(entry)
    await log.append(entry)
  }
  return entries
}

/** The directory as a crash of the process would leave it: no lock released, nothing cut. */
export function crashImage(directory: string, to: string): string {
  fs.cpSync(directory, to, { recursive: true })
  for (const name of fs.readdirSync(to))
    if (name.startsWith('LOCK-')) fs.rmSync(path.join(to, name))
  return to
}

export function segmentPaths(directory: string): string[] {
  const log = path.join(directory, 'log')
  return fs
    .readdirSync(log)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => path.join(log, name))
}

export async function readAll(log: CommitLog): Promise<LogEntry[]> {
  return collect(log.readAfter(0))
}

export function describeEntries(entries: readonly (LogEntry | NewLogEntry)[]): string[] {
  return entries.map(
    ({ version, timestamp, token, payload }) =>
      `${version} ${timestamp} ${token} ${payload === undefined ? 'tombstone' : Buffer.from(payload).toString('hex')}`,
  )
}
