import { compareBytes } from '@firn/bytes'
import { ulid } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import type { DatabaseState, FileMeta } from '@firn/manifest'
import { describe, expect, test } from 'vitest'
import { type CompactionPlan, type LeveledOptions, planInputs, planLeveled } from '../src/index.js'
import { key, stateOf } from './picture.js'

const KIB = 1024
const options: LeveledOptions = {
  now: 1e15,
  level0Trigger: 4,
  levelBaseBytes: 256 * KIB,
  multiplier: 10,
  targetFileBytes: 64 * KIB,
}
const KEYS = 40_000
const RECORD = 100

const env = new TestEnv({ seed: 3 })
const keyOf = (n: number) => key(`1:${String(n).padStart(8, '0')}`)
const numberOf = (bytes: Uint8Array) => Number(new TextDecoder().decode(bytes.subarray(4)))

/**
 * Only the manifest's numbers, no bytes: each file is a sorted list of key numbers beside its meta.
 * A merge is the union of such lists; that is all that matters to the strategy.
 */
class Tree {
  state: DatabaseState = stateOf('tables 1')
  readonly contents = new Map<string, number[]>()
  written = 0
  ingested = 0

  file(keys: readonly number[], level: number, timestamp: number): FileMeta {
    const id = `0-${ulid(env)}`
    this.contents.set(id, [...keys])
    return {
      ...(stateOf('tables 1\nL0 x 1:a 1 @1').level0[0] as FileMeta),
      id,
      level,
      bytes: keys.length * RECORD,
      records: keys.length,
      smallest: keyOf(keys[0] ?? 0),
      largest: keyOf(keys.at(-1) ?? 0),
      minTimestamp: timestamp,
      maxTimestamp: timestamp,
    }
  }

  ingest(keys: readonly number[], timestamp: number): void {
    const sorted = [...new Set(keys)].sort((a, b) => a - b)
    const file = this.file(sorted, 0, timestamp)
    this.ingested += file.bytes
    this.state = { ...this.state, level0: [file, ...this.state.level0] }
  }

  carryOut(plan: CompactionPlan): void {
    const inputs = new Set(planInputs(plan).map(({ id }) => id))
    const added: FileMeta[] = []
    if (plan.type === 'move') {
      for (const { file, toLevel } of plan.files) added.push({ ...file, level: toLevel })
    } else if (plan.type === 'merge') {
      const union = new Set<number>()
      for (const id of inputs) for (const n of this.contents.get(id) ?? []) union.add(n)
      const all = [...union].sort((a, b) => a - b)
      const timestamp = Math.max(...planInputs(plan).map((file) => file.maxTimestamp))
      const perFile = Math.ceil((options.targetFileBytes as number) / RECORD)
      for (let i = 0; i < all.length; i += perFile) {
        added.push(this.file(all.slice(i, i + perFile), plan.outputLevel, timestamp))
      }
      this.written += all.length * RECORD
    }
    const kept = (files: readonly FileMeta[]) => files.filter(({ id }) => !inputs.has(id))
    const table = this.state.tables.get(1)
    if (table === undefined) throw new Error('no table')
    const levels = Array.from({ length: 6 }, (_, i) =>
      [...kept(table.levels[i] ?? []), ...added.filter(({ level }) => level === i + 1)].sort(
        (a, b) => compareBytes(a.smallest, b.smallest),
      ),
    )
    const level0 = [...added.filter(({ level }) => level === 0), ...kept(this.state.level0)]
    level0.sort((a, b) => b.maxTimestamp - a.maxTimestamp)
    this.state = { ...this.state, level0, tables: new Map([[1, { ...table, levels }]]) }
  }

  get levels(): readonly (readonly FileMeta[])[] {
    return this.state.tables.get(1)?.levels ?? []
  }

  /** Bytes in all files, over those of the keys that there are. */
  get spaceAmplification(): number {
    const files = [...this.state.level0, ...this.levels.flat()]
    const distinct = new Set(files.flatMap(({ id }) => this.contents.get(id) ?? []))
    return files.reduce((sum, { bytes }) => sum + bytes, 0) / (distinct.size * RECORD)
  }
}

/** As many compactions per arriving file as a busy disk would manage: a fixed number of bytes. */
function load(
  tree: Tree,
  files: number,
  keysOf: (i: number) => number[],
  budgetPerFile: number,
): number {
  let most = 0
  let credit = 0
  for (let i = 0; i < files; i++) {
    tree.ingest(keysOf(i), i + 1)
    credit += budgetPerFile
    while (credit > 0) {
      const plan = planLeveled(tree.state, options)
      if (plan === undefined) {
        credit = 0
        break
      }
      const before = tree.written
      tree.carryOut(plan)
      credit -= tree.written - before
    }
    most = Math.max(most, tree.state.level0.length)
  }
  return most
}

function expectDisjoint(tree: Tree): void {
  for (const level of tree.levels) {
    for (const [i, file] of level.slice(1).entries()) {
      expect(numberOf((level[i] as FileMeta).largest)).toBeLessThan(numberOf(file.smallest))
    }
  }
}

describe('a sustained load', () => {
  test('of random writes keeps level 0, space and write amplification within bounds', () => {
    const tree = new Tree()
    const keys = () => Array.from({ length: 600 }, () => Math.floor(env.random() * KEYS))
    const most = load(tree, 600, keys, 1024 * KIB)
    expect(most).toBeLessThanOrEqual(12)
    expect(tree.spaceAmplification).toBeLessThan(1.5)
    expect(tree.written / tree.ingested).toBeLessThan(16)
    expectDisjoint(tree)
    for (const [i, level] of tree.levels.entries()) {
      const bytes = level.reduce((sum, file) => sum + file.bytes, 0)
      expect(bytes).toBeLessThan(2.5 * 256 * KIB * 10 ** i)
    }
  })

  test('of sequential writes rewrites nothing', () => {
    const tree = new Tree()
    load(tree, 300, (i) => Array.from({ length: 600 }, (_, k) => i * 600 + k), 1024 * KIB)
    expect(tree.written).toBe(0)
    expect(tree.state.level0.length).toBeLessThan(4)
    expectDisjoint(tree)
  })

  test('of thousands of tiny commits merges them early, and not with all of L1 each time', () => {
    const tree = new Tree()
    load(
      tree,
      100,
      () => Array.from({ length: 600 }, () => Math.floor(env.random() * KEYS)),
      1024 * KIB,
    )
    const { written, ingested } = tree
    const tiny = () => Array.from({ length: 3 }, () => Math.floor(env.random() * KEYS))
    const most = load(tree, 3000, tiny, 64 * KIB)
    expect(most).toBeLessThan(30)
    expect((tree.written - written) / (tree.ingested - ingested)).toBeLessThan(60)
  })

  test('comes to rest when writing stops, with every level in its limits', () => {
    const tree = new Tree()
    load(tree, 200, () => Array.from({ length: 600 }, () => Math.floor(env.random() * KEYS)), 0)
    expect(tree.state.level0.length).toBe(200)
    let steps = 0
    for (
      let plan = planLeveled(tree.state, options);
      plan !== undefined;
      plan = planLeveled(tree.state, options)
    ) {
      tree.carryOut(plan)
      expect(++steps).toBeLessThan(1000)
    }
    expect(tree.state.level0.length).toBeLessThan(4)
    for (const [i, level] of tree.levels.entries()) {
      const bytes = level.reduce((sum, file) => sum + file.bytes, 0)
      expect(bytes).toBeLessThanOrEqual(256 * KIB * 10 ** i)
    }
    expectDisjoint(tree)
  })
})
