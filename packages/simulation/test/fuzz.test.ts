import { Worker } from 'node:worker_threads'
import { CorruptionError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { LONG } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { assertSame, type FuzzTarget } from '../src/fuzz/fuzz-target.js'
import { fuzz } from '../src/fuzz/fuzzer.js'
import { fuzzTargets } from '../src/fuzz/targets.js'
import { watched } from '../src/fuzz/watched.js'

const INPUTS_EACH = 60
const SECONDS_EACH = 60 / fuzzTargets.length

describe('decoders', () => {
  for (const target of fuzzTargets) {
    test(`${target.name}: any input is taken whole, or refused`, { timeout: 600_000 }, async () => {
      const end = performance.now() + SECONDS_EACH * 1000
      const more = (done: number) => (LONG ? performance.now() < end : done < INPUTS_EACH)
      const report = await fuzz(target, { seed: LONG ? 2 : 1, more })
      const { failure } = report
      expect(failure && `input ${failure.number}: ${failure.problem}`).toBeUndefined()
      expect(report.taken).toBeGreaterThan(0)
    })
  }
})

/** A format of a length and as many bytes; what is wrong with its decoder is up to the test. */
function planted(take: (content: Uint8Array) => void): FuzzTarget {
  return {
    name: 'planted',
    corpus: (random) => Array.from({ length: 5 }, () => Uint8Array.of(6, ...random.bytes(6))),
    seal: (bytes) => {
      bytes[0] = bytes.length - 1
    },
    decode(bytes) {
      if (bytes.length - 1 !== bytes[0]) throw new CorruptionError('another length')
      take(bytes.subarray(1))
    },
  }
}

describe('the fuzzer', () => {
  const more = (done: number) => done < 20_000

  test('finds an error of no type, makes the input small, and makes it again from its number', async () => {
    const target = planted((content) => {
      if (content.includes(0x80)) new Uint8Array(-1)
    })
    const { failure, inputs } = await fuzz(target, { seed: 1, more })
    expect(failure?.problem).toMatch(/^RangeError: /)
    expect(failure?.bytes).toEqual(Uint8Array.of(1, 0x80))
    const again = await fuzz(target, { seed: 1, first: inputs - 1, more: (done) => done < 1 })
    expect(again.failure).toEqual(failure)
  })

  test('finds a value that is encoded to something else', async () => {
    const target = planted((content) =>
      assertSame(
        content.map((byte) => byte || 1),
        content,
        'it',
      ),
    )
    const { failure } = await fuzz(target, { seed: 1, more })
    expect(failure?.problem).toMatch(/^Unsound: it: /)
    expect(failure?.bytes).toEqual(Uint8Array.of(1, 0))
  })

  test('finds memory beyond the input and 64 MiB', async () => {
    const target = planted((content) => {
      new Uint8Array(content[0] === 0xff ? 65 * 1024 * 1024 : 1000)
    })
    const { failure } = await fuzz(target, { seed: 1, more })
    expect(failure?.problem).toMatch(/^memory: 65 MiB for \d+ bytes of input$/)
  })

  test('finds a decoder that refuses what its encoder makes', async () => {
    const target = planted((content) => {
      if (content.length === 6) throw new CorruptionError('too long')
    })
    const { failure } = await fuzz(target, { seed: 1, more })
    expect(failure).toMatchObject({ number: 0, problem: 'what the encoder made is refused' })
  })

  test('reaches what is behind a checksum', async () => {
    const sum = (bytes: Uint8Array) =>
      bytes.subarray(1).reduce((all, byte) => (all * 31 + byte) | 0, 7)
    const behind: FuzzTarget = {
      name: 'behind',
      corpus: () => [Uint8Array.of(0, 1, 2, 3)].map((bytes) => seal(bytes)),
      seal,
      decode(bytes) {
        if ((sum(bytes) & 0xff) !== bytes[0]) throw new CorruptionError('checksum')
        if (bytes[1] === 0xff && bytes[2] === 0xff) throw new TypeError('behind it')
      },
    }
    function seal(bytes: Uint8Array): Uint8Array {
      bytes[0] = sum(bytes)
      return bytes
    }
    const { failure } = await fuzz(behind, { seed: 1, more })
    expect(failure?.problem).toMatch(/^TypeError: behind it/)
  })
})

describe('a thread that fuzzes', () => {
  const run = (code: string, progress: Float64Array) =>
    new Worker(code, {
      eval: true,
      workerData: progress,
      resourceLimits: { maxOldGenerationSizeMb: 24 },
    })

  test('is ended where one input takes it too long', async () => {
    const progress = new Float64Array(new SharedArrayBuffer(16))
    const env = new TestEnv()
    const worker = run(`require('node:worker_threads').workerData[1] = 1; for (;;) {}`, progress)
    const report = watched(worker, progress, env)
    while (progress[1] === 0) await new Promise<void>((resolve) => setImmediate(resolve))
    const end = setInterval(() => env.advance(1000))
    expect(await report).toMatch(/it hangs/)
    clearInterval(end)
  })

  test('is a failure where its heap is full, and else its answer', async () => {
    const progress = new Float64Array(new SharedArrayBuffer(16))
    const full = run('const all = []; for (;;) all.push({ of: [all.length] })', progress)
    expect(await watched(full, progress, new TestEnv())).toBe('memory: the heap is full')
    const sound = run(`require('node:worker_threads').parentPort.postMessage(17)`, progress)
    expect(await watched(sound, progress, new TestEnv())).toBe(17)
  })
})
