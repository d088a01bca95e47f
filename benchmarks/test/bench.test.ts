import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PEERS } from '../src/adapters/index.js'
import { Dataset } from '../src/dataset.js'
import { ratio, toMarkdown } from '../src/report/markdown.js'
import { isGap, makeCell, type PeerResult, type Results } from '../src/results.js'
import { Tally, tallyOfScan, tallyOfValues } from '../src/tally.js'
import { WORKLOAD_IDS } from '../src/workloads/ids.js'
import { GROUPS } from '../src/workloads/index.js'
import { Zipfian } from '../src/zipfian.js'

describe('the data', () => {
  it('is the same for everyone, in key order, with absent keys between', () => {
    const one = new Dataset(5000)
    const other = new Dataset(5000)
    expect([...one.order]).toEqual([...other.order])
    expect([...one.order].sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    for (let i = 0; i < 4999; i++) {
      expect(one.value(i).equals(other.value(i))).toBe(true)
      expect(Buffer.compare(one.key(i), one.missingKey(i))).toBe(-1)
      expect(Buffer.compare(one.missingKey(i), one.key(i + 1))).toBe(-1)
    }
    expect(one.value(7).length).toBe(100)
    expect(one.key(7).length).toBe(16)
  })

  it('has as many values as records', () => {
    const data = new Dataset(5000)
    const values = new Set(Array.from({ length: 5000 }, (_, i) => data.value(i).toString('latin1')))
    expect(values.size).toBeGreaterThan(4900)
  })

  it('draws popular ranks most often, and scatters them', () => {
    const zipfian = new Zipfian(1000, 1)
    const ranks = new Map<number, number>()
    for (let i = 0; i < 100_000; i++) {
      const rank = zipfian.rank()
      expect(rank).toBeLessThan(1000)
      ranks.set(rank, (ranks.get(rank) ?? 0) + 1)
    }
    // 1 / zeta(1000) with theta 0.99 is 0.1297.
    expect(ranks.get(0)).toBeGreaterThan(12_000)
    expect(ranks.get(0)).toBeLessThan(14_000)
    expect(ranks.get(0)).toBeGreaterThan((ranks.get(1) ?? 0) * 1.5)
  })
})

describe('the tally', () => {
  it('tells a row that is missing, doubled, altered or out of order', () => {
    const data = new Dataset(5000)
    const expected = tallyOfScan(data, false)
    const scan = (rows: number[], value = (i: number): Uint8Array => data.value(i)): Tally => {
      const tally = new Tally()
      for (const i of rows) tally.row(data.key(i), value(i))
      return tally
    }
    const all = Array.from({ length: 5000 }, (_, i) => i)
    scan(all).expect(expected, 'same')
    expect(() => scan(all.slice(1)).expect(expected, 'missing')).toThrow('rows is 4999')
    expect(() => scan([...all.slice(1), 9]).expect(expected, 'doubled')).toThrow('sum')
    const broken = (i: number): Uint8Array => (i === 77 ? data.value(78) : data.value(i))
    expect(() => scan(all, broken).expect(expected, 'altered')).toThrow('sum')
    expect(() => scan([...all].reverse()).expect(expected, 'order')).toThrow('row 0')
  })

  it('does not mind the order of point reads', () => {
    const data = new Dataset(1000)
    tallyOfValues(data, [1, 2, 3]).expect(tallyOfValues(data, [3, 1, 2]), 'reads')
  })
})

describe('the report', () => {
  const peer = (name: string, native: boolean, cells: PeerResult['cells']): PeerResult => ({
    name,
    native,
    cells,
    version: '1.0.0',
    settings: '',
    peakRssBytes: {},
  })
  const peers = [
    peer('firn', false, {
      get: makeCell('ops/s', 10, [900, 1200, 1000]),
      open: makeCell('ms', 1, [4, 8]),
    }),
    peer('one', true, { get: makeCell('ops/s', 10, [500]), open: makeCell('ms', 1, [3]) }),
    peer('two', true, { get: { missing: 'no such call' }, open: makeCell('ms', 1, [9]) }),
    peer('toy', false, { get: makeCell('ops/s', 10, [9999]), open: makeCell('ms', 1, [0.1]) }),
  ]

  it('takes the median against the best native peer', () => {
    expect(ratio('get', peers)).toBe(2)
    expect(ratio('open', peers)).toBe(2)
    expect(ratio('seek-50', peers)).toBeUndefined()
  })

  it('says what was reached and why cells are empty', () => {
    const results: Results = {
      format: 1,
      measuredAt: '2026-01-02T03:04:05.000Z',
      machine: {
        cpu: 'cpu',
        cores: 2,
        memoryBytes: 8e9,
        system: 'Linux',
        architecture: 'x64',
        fileSystem: 'ext4',
        node: '20.20.2',
      },
      keys: 1000,
      keyBytes: 16,
      valueBytes: 100,
      runs: 3,
      peers,
    }
    const text = toMarkdown(results)
    expect(text).toContain(
      '| `get`, cached | 1.00 k/s | 500 /s | –<sup>1</sup> | 10.00 k/s | 2.00 | ≥ 1.2 ✓ |',
    )
    expect(text).toContain(
      '| open and read one key | 6.00 ms | 3.00 ms | 9.00 ms | 0.10 ms | 2.00 | ≤ 2 ✓ |',
    )
    expect(text).toContain('1. no such call')
  })
})

it('has every workload in one group', () => {
  expect(GROUPS.flatMap((group) => group.workloads).sort()).toEqual([...WORKLOAD_IDS].sort())
})

describe('a small run of everything', () => {
  let base = ''
  let results: Results
  beforeAll(async () => {
    // The children run the build: `npm test` builds first.
    const built = new URL('../dist/run.js', import.meta.url).href
    const { runBenchmarks } = (await import(built)) as typeof import('../src/run.js')
    base = await mkdtemp(join(tmpdir(), 'firn-bench-test-'))
    results = await runBenchmarks({
      keys: 2000,
      runs: 1,
      peers: PEERS.filter((name) => name !== 'slatedb'),
      workloads: WORKLOAD_IDS,
      directory: base,
      timeoutMs: 60_000,
      log: () => {},
    })
  }, 300_000)
  afterAll(() => rm(base, { recursive: true, force: true }))

  it('measures each workload of each peer, or says why not', () => {
    for (const peer of results.peers) {
      for (const id of WORKLOAD_IDS) {
        const cell = peer.cells[id]
        expect(cell, `${peer.name} ${id}`).toBeDefined()
        if (isGap(cell)) expect(cell.missing).toMatch(/in memory only|no such call|not installed/)
        else expect(cell?.median).toBeGreaterThan(0)
      }
    }
  })

  it('has a number in every row of Firn', () => {
    const firn = results.peers.find((peer) => peer.name === 'firn')
    expect(Object.entries(firn?.cells ?? {}).filter(([, cell]) => isGap(cell))).toEqual([])
  })

  it('leaves no database behind', async () => {
    expect(await readdir(base)).toEqual([])
  })
})
