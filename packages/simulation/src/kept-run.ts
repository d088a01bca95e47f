import { readFileSync, writeFileSync } from 'node:fs'
import type { DecisionMap } from './decisions.js'

/** A run that is kept in a file, as JSON. */
export interface KeptRun {
  seed: number
  /** The violation that was found. */
  found: string
  /** Decides instead of the seed: for a run that was shrunk. */
  decisions: DecisionMap | undefined
}

/** Throws if the file is missing or isn't a kept run. */
export function readKeptRun(path: string): KeptRun {
  const kept = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const { seed, found, decisions } = kept
  if (!Number.isSafeInteger(seed) || typeof found !== 'string') {
    throw new Error(`${path} holds no run: it has no seed, or doesn't say what was found`)
  }
  return {
    seed: seed as number,
    found,
    decisions: decisions === undefined ? undefined : decisionsOf(decisions, path),
  }
}

export function writeKeptRun(path: string, { seed, found, decisions }: KeptRun): void {
  const fields = decisions === undefined ? {} : { decisions: Object.fromEntries(decisions) }
  writeFileSync(path, `${JSON.stringify({ seed, found, ...fields }, null, 2)}\n`)
}

function decisionsOf(value: unknown, path: string): DecisionMap {
  const all = new Map(Object.entries(value as Record<string, number>))
  for (const [name, decided] of all) {
    if (Number.isSafeInteger(decided) && decided > 0) continue
    throw new Error(`${path}: ${name} isn't decided by a whole number above 0`)
  }
  return all
}
