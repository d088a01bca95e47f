import { systemEnv } from '../../../packages/env/dist/index.js'
import type {
  ListOptions,
  ObjectInfo,
  ObjectStore,
  Upload,
} from '../../../packages/object-store/dist/index.js'
import { seeded } from '../random.js'
import type { Replies } from './task.js'

/**
 * A store whose requests are done at once, and whose replies take their time; some are late by
 * seconds.
 */
export class SlowReplies implements ObjectStore {
  readonly #store: ObjectStore
  readonly #replies: Replies
  readonly #next: () => number
  requests = 0
  lateReplies = 0

  constructor(store: ObjectStore, replies: Replies, seed: number) {
    this.#store = store
    this.#replies = replies
    this.#next = seeded(seed)
  }

  get: ObjectStore['get'] = (key, options) =>
    this.#reply(options?.signal, () => this.#store.get(key, options))

  head: ObjectStore['head'] = (key, options) =>
    this.#reply(options?.signal, () => this.#store.head(key, options))

  put: ObjectStore['put'] = (key, bytes, options) =>
    this.#reply(options?.signal, () => this.#store.put(key, bytes, options))

  delete: ObjectStore['delete'] = (keys, options) =>
    this.#reply(options?.signal, () => this.#store.delete(keys, options))

  async *list(options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    await this.#reply(options.signal, async () => {})
    yield* this.#store.list(options)
  }

  upload: ObjectStore['upload'] = async (key, options): Promise<Upload> => {
    const upload = await this.#store.upload(key, options)
    return {
      write: (bytes) => upload.write(bytes),
      finish: () => this.#reply(undefined, () => upload.finish()),
      abort: () => upload.abort(),
    }
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #reply<T>(signal: AbortSignal | undefined, request: () => Promise<T>): Promise<T> {
    this.requests++
    const { usualMs, lateShare, lateMs } = this.#replies
    let ms = usualMs * (0.5 + this.#share())
    if (this.#share() < lateShare) {
      this.lateReplies++
      ms += lateMs[0] + this.#share() * (lateMs[1] - lateMs[0])
    }
    const outcome = await request().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    await systemEnv.sleep(ms, signal)
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  #share(): number {
    return this.#next() / 2 ** 32
  }
}
