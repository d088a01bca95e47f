import type { DescribeTableCommandOutput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  type Env,
  InvalidArgumentError,
  linkedController,
  Retries,
  type Slots,
  slotsOf,
  systemEnv,
} from '@firn/env'
import type { DynamoDbError } from '../errors.js'
import type { DynamoDbOptions, DynamoDbRequest } from '../options.js'
import { classify, failureOf, isConditionFailure } from './failure.js'
import type { Item } from './item-size.js'
import { schemaFailureOf } from './key-schema.js'
import { type Attempt, requestOf } from './metering.js'

/** What became of a conditional write. */
export type WriteOutcome =
  | { done: unknown }
  /** The condition failed; the item that was there, if the server says so. */
  | { refused: Item | undefined }
  /** It may have been done, or still be; the reason why that isn't known. */
  | { unknown: unknown }

/** One request. */
export interface Call<O> {
  kind: DynamoDbRequest['kind']
  /** Sends it, once. */
  send: (client: DynamoDBClient, options: { abortSignal: AbortSignal }) => Promise<O>
  /** Bytes of the item that is sent. Default 0. */
  bytes?: number
  signal?: AbortSignal | undefined
  /** Goes ahead of requests that wait. */
  urgent?: boolean | undefined
}

/** The SDK's own bound, and `createDynamoDbClient`'s. */
const DEFAULT_CONNECTIONS = 50
const DEFAULT_TIMEOUT_MS = 5_000
const ATTEMPTS = 8
const LONGEST_PAUSE_MS = 2_000

/** Sends commands to one table: each attempt bounded in time, metered, and understood. */
export class Requester {
  readonly tableName: string
  readonly #client: DynamoDBClient
  readonly #slots: Slots
  readonly #env: Env
  readonly #onRequest: ((request: DynamoDbRequest) => void) | undefined
  readonly #timeoutMs: number
  readonly #retries: Retries
  #checked = false
  /** Whether it is being found out why a request was refused: once at a time. */
  #explaining = false

  constructor(options: Omit<DynamoDbOptions, 'incarnation'>) {
    const { client, tableName, env = systemEnv, onRequest } = options
    const timeoutMs = options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS
    if (!(timeoutMs > 0)) {
      throw new InvalidArgumentError(`requestTimeoutMs is a positive number, got ${timeoutMs}`)
    }
    this.tableName = tableName
    this.#client = client
    // The SDK counts waiting for one of its connections as connecting, and would give up.
    this.#slots = slotsOf(client, options.connections ?? DEFAULT_CONNECTIONS)
    this.#env = env
    this.#onRequest = onRequest
    this.#timeoutMs = timeoutMs
    this.#retries = new Retries({ env, attempts: ATTEMPTS, maxDelayMs: LONGEST_PAUSE_MS })
  }

  /**
   * Sends what may be done twice, again after every failure that may pass. Throws a
   * `DynamoDbError`, or the signal's reason.
   */
  async repeatable<O>(call: Call<O>): Promise<{ done: O } | { refused: Item | undefined }> {
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(call)
      if ('aborted' in result) throw result.aborted
      if (!('failure' in result)) return result
      await this.#pauseOrThrow(result.failure, attempt, call.signal)
    }
  }

  /**
   * Sends a conditional write, again only as long as it is certain that it wasn't done. Throws
   * where it certainly wasn't and won't be.
   */
  async conditional<O>(call: Call<O>): Promise<WriteOutcome> {
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(call)
      if ('aborted' in result) return { unknown: result.aborted }
      if (!('failure' in result)) return result
      if (result.failure.maybeDone) return { unknown: result.failure }
      await this.#pauseOrThrow(result.failure, attempt, call.signal)
    }
  }

  async #attempt<O>(call: Call<O>): Promise<Attempt<O>> {
    await this.#assertSingleAttempts()
    return this.#slots.run(() => this.#send(call), call)
  }

  /** Sends it, with a slot: from here on its time is bounded. */
  async #send<O>(call: Call<O>): Promise<Attempt<O>> {
    const { signal } = call
    const { controller: attempt, end } = linkedController(signal)
    const answered = new AbortController()
    const gaveUp = new Promise<Attempt<O>>((resolve) => {
      attempt.signal.addEventListener('abort', () => {
        resolve(signal?.aborted === true ? { aborted: signal.reason } : this.#timedOut())
      })
    })
    this.#env.sleep(this.#timeoutMs, answered.signal).then(
      () => attempt.abort(),
      () => {},
    )
    try {
      const sent = call.send(this.#client, { abortSignal: attempt.signal }).then(
        (done): Attempt<O> => ({ done }),
        (error: unknown): Attempt<O> => this.#failed(error),
      )
      // Whoever stops waiting doesn't wait for the SDK to notice.
      const result = await Promise.race([gaveUp, sent])
      this.#meter(call, result)
      return result
    } finally {
      end()
      // With a reason: without one, Node makes an error and its stack for every request.
      answered.abort('answered')
    }
  }

  #timedOut<O>(): Attempt<O> {
    return { failure: failureOf(this.tableName, 'timeout', { maybeDone: true }) }
  }

  #failed<O>(error: unknown): Attempt<O> {
    if (isConditionFailure(error)) return { refused: (error as { Item?: Item }).Item }
    return { failure: classify(this.tableName, error) }
  }

  async #pauseOrThrow(
    failure: DynamoDbError,
    attempt: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (failure.reason === 'refused') throw await this.#explained(failure, signal)
    await this.#retries.pauseOrThrow(failure, attempt, signal)
  }

  /** What DynamoDB calls wrong is most likely asked of a table with another key. */
  async #explained(
    refusal: DynamoDbError,
    signal: AbortSignal | undefined,
  ): Promise<DynamoDbError> {
    if (this.#explaining) return refusal
    this.#explaining = true
    try {
      const failure = await schemaFailureOf(this.tableName, refusal, async (command) => {
        const send: Call<DescribeTableCommandOutput>['send'] = (client, call) =>
          client.send(command, call)
        const result = await this.#attempt({ kind: 'describe-table', signal, send })
        return 'done' in result ? result.done.Table : undefined
      })
      return failure ?? refusal
    } finally {
      this.#explaining = false
    }
  }

  #meter<O>(call: Call<O>, result: Attempt<O>): void {
    if (!('failure' in result) && !('aborted' in result)) this.#retries.succeeded()
    const onRequest = this.#onRequest
    if (onRequest === undefined) return
    const request = requestOf(call, result)
    // In a turn of its own: what a listener throws is no answer of DynamoDB's.
    void Promise.resolve().then(() => onRequest(request))
  }

  async #assertSingleAttempts(): Promise<void> {
    if (this.#checked) return
    if ((await this.#client.config.maxAttempts()) !== 1) {
      throw new InvalidArgumentError(
        'the DynamoDB client repeats requests by itself; make it with createDynamoDbClient, or with maxAttempts: 1',
      )
    }
    this.#checked = true
  }
}
