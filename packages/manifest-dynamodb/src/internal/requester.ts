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

/** Outcome of a conditional write. */
export type WriteOutcome =
  | { done: unknown }
  /** The condition failed; the item that failed it, if the server sent it. */
  | { refused: Item | undefined }
  /** It may have been done, or may still be; the value is the reason why that is unknown. */
  | { unknown: unknown }

/** One request. */
export interface Call<O> {
  kind: DynamoDbRequest['kind']
  /** Sends it, once. */
  send: (client: DynamoDBClient, options: { abortSignal: AbortSignal }) => Promise<O>
  /** Bytes of the item in the request. Default 0. */
  bytes?: number
  signal?: AbortSignal | undefined
  /** Go ahead of other requests that wait. */
  urgent?: boolean | undefined
}

/** The limit of the SDK, and of `createDynamoDbClient`. */
const DEFAULT_CONNECTIONS = 50
const DEFAULT_TIMEOUT_MS = 5_000
const ATTEMPTS = 8
const LONGEST_PAUSE_MS = 2_000

/** Sends commands to one table. Attempts have a timeout, are metered, and throw typed errors. */
export class Requester {
  readonly tableName: string
  readonly #client: DynamoDBClient
  readonly #slots: Slots
  readonly #env: Env
  readonly #onRequest: ((request: DynamoDbRequest) => void) | undefined
  readonly #timeoutMs: number
  readonly #retries: Retries
  #checked = false
  /** Whether a refusal is being explained; only one is at a time. */
  #explaining = false

  constructor(options: Omit<DynamoDbOptions, 'incarnation'>) {
    const { client, tableName, env = systemEnv, onRequest } = options
    const timeoutMs = options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS
    if (!(timeoutMs > 0)) {
      throw new InvalidArgumentError(`requestTimeoutMs must be a positive number, got ${timeoutMs}`)
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
   * Sends a request that is safe to make twice, and retries after any retryable failure. Throws a
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
   * Sends a conditional write, and retries only while it certainly wasn't done. Throws if it
   * certainly wasn't and won't be done.
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

  /** Sends a request that has a slot. Its timeout begins here. */
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
      // A caller that aborts doesn't wait until the SDK notices.
      const result = await Promise.race([gaveUp, sent])
      this.#meter(call, result)
      return result
    } finally {
      end()
      // Without a reason, Node.js would create an error with a stack for every request.
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

  /** Explains a rejected request: most likely the table has another key. */
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
    // In a separate turn, so that an error of the listener isn't taken for a failed request.
    void Promise.resolve().then(() => onRequest(request))
  }

  async #assertSingleAttempts(): Promise<void> {
    if (this.#checked) return
    if ((await this.#client.config.maxAttempts()) !== 1) {
      throw new InvalidArgumentError(
        'the DynamoDB client retries requests itself; create it with createDynamoDbClient, or with maxAttempts: 1',
      )
    }
    this.#checked = true
  }
}
