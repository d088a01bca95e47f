import { describe, expect, test } from 'vitest'
import type { ObjectStore } from '../../object-store.js'
import { expectBytes, text } from './bytes.js'
import type { Bench } from './conformance.js'

export function racingTests(bench: Bench): void {
  const { rounds, racers } = bench.options

  /** Runs `racer` on several handles at once, and returns the numbers of the winners. */
  async function race(
    stores: readonly ObjectStore[],
    racer: (store: ObjectStore, number: number) => Promise<unknown>,
  ): Promise<number[]> {
    const winners: number[] = []
    await Promise.all(
      Array.from({ length: racers }, async (_, number) => {
        const store = stores[number % stores.length] ?? bench.store
        try {
          await racer(store, number)
          winners.push(number)
        } catch (error) {
          expect(error).toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
        }
      }),
    )
    return winners
  }

  async function withStores(run: (stores: ObjectStore[]) => Promise<void>): Promise<void> {
    const other = await bench.another()
    try {
      await run([bench.store, other])
    } finally {
      if (other !== bench.store) await other.close()
    }
  }

  describe('racing', () => {
    if (bench.options.ifAbsent) {
      test(`lets one of ${racers} creators win, ${rounds} times`, async () => {
        const folder = bench.folder()
        await withStores(async (stores) => {
          for (let round = 0; round < rounds; round++) {
            const key = `${folder}${round}`
            const winners = await race(stores, (store, number) =>
              store.put(key, text(`creator ${number}`), { ifAbsent: true }),
            )
            expect(winners.length).toBe(1)
            expectBytes((await bench.store.get(key)).bytes, text(`creator ${winners[0]}`))
          }
        })
      })
    }

    if (bench.options.ifAbsent && bench.options.uploadIfAbsent) {
      test(`lets one of ${racers} uploads and puts win`, async () => {
        const key = `${bench.folder()}object`
        await withStores(async (stores) => {
          const winners = await race(stores, async (store, number) => {
            if (number % 2 === 0) return store.put(key, text(`${number}`), { ifAbsent: true })
            const upload = await store.upload(key, { ifAbsent: true })
            await upload.write(text(`${number}`))
            return upload.finish()
          })
          expect(winners.length).toBe(1)
          expectBytes((await bench.store.get(key)).bytes, text(`${winners[0]}`))
        })
      })
    }

    if (!bench.options.ifMatch) return

    test(`lets one of ${racers} replacers win, ${rounds} times`, async () => {
      const key = `${bench.folder()}object`
      await withStores(async (stores) => {
        let { etag } = await bench.store.put(key, text('start'))
        for (let round = 0; round < rounds; round++) {
          // Contents never repeat, since an etag may be their hash.
          const content = (number: number | undefined) => text(`round ${round}, replacer ${number}`)
          const winners = await race(stores, (store, number) =>
            store.put(key, content(number), { ifMatch: etag }),
          )
          expect(winners.length).toBe(1)
          const object = await bench.store.get(key)
          expectBytes(object.bytes, content(winners[0]))
          expect(object.etag).not.toBe(etag)
          etag = object.etag
        }
      })
    })

    test('counts right, with many who read, add one, and replace what they read', async () => {
      const key = `${bench.folder()}counter`
      await bench.store.put(key, text('1000'))
      const each = Math.max(2, Math.ceil(rounds / 5))
      await withStores(async (stores) => {
        await Promise.all(
          Array.from({ length: Math.min(racers, 8) }, async (_, number) => {
            const store = stores[number % stores.length] ?? bench.store
            for (let done = 0; done < each; ) {
              const { bytes, etag } = await store.get(key)
              const next = Number(new TextDecoder().decode(bytes)) + 1
              const won = await store.put(key, text(`${next}`), { ifMatch: etag }).then(
                () => true,
                (error: unknown) => {
                  expect(error).toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
                  return false
                },
              )
              if (won) done++
            }
          }),
        )
      })
      const { bytes } = await bench.store.get(key)
      expect(Number(new TextDecoder().decode(bytes))).toBe(1000 + each * Math.min(racers, 8))
    })
  })
}
