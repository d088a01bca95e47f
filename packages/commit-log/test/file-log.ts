import fs from 'node:fs'
import path from 'node:path'
import { type Env, systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import type { FileCall } from '@firn/vfs/testing'
import type { CommitLog, LogEntry, NewLogEntry } from '../src/index.js'
import { collect, newEntry } from './fixtures.js'

/** How a commit gets to the disk. */
export type Way = 'in place' | 'by a thread'

/** A clock by which every write takes no time, so that commits are written in place, or long. */
export function clockFor(way: Way): Env {
  const env = new TestEnv()
  return {
    now: () => env.now(),
    monotonic: () => {
      if (way === 'by a thread') env.advance(2)
      return env.monotonic()
    },
    random: () => env.random(),
    randomBytes: (length) => env.randomBytes(length),
    sleep: systemEnv.sleep,
    yield: systemEnv.yield,
  }
}

export function isCommit(call: FileCall): boolean {
  return call.call === 'write' && call.durable === true
}

/** Zeros ahead of the end. While they are written, commits don't go in place. */
export function isFill(call: FileCall): boolean {
  return call.call === 'write' && !call.durable && (call.bytes ?? 0) >= 262_144
}

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
  // `cp` throws if it meets a socket, as the lock has in a container.
  const filter = (from: string): boolean => !path.basename(from).startsWith('LOCK-')
  fs.cpSync(directory, to, { recursive: true, filter })
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
