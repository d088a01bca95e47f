import { DeleteObjectCommand, DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3'
import { S3RequestError } from '../errors.js'
import { meaningOf } from './s3-codes.js'
import { s3CodeOf } from './s3-errors.js'
import type { S3Requests } from './s3-requests.js'

/** The most keys that S3 deletes with one request. */
const BATCH_KEYS = 1000
const BATCHES_AT_ONCE = 4

/** Deletes objects: a single one by its own request, more in batches of 1,000, four at a time. */
export class ObjectDeletes {
  readonly #requests: S3Requests
  /** Whether this server has asked for Content-MD5: see `#batchCommand`. */
  #wantsMd5 = false

  constructor(requests: S3Requests) {
    this.#requests = requests
  }

  /** Deletes objects by their full keys in the bucket. */
  async delete(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const [first, second] = keys
    if (first !== undefined && second === undefined) return this.#deleteOne(first, signal)
    for (let at = 0; at < keys.length; at += BATCH_KEYS * BATCHES_AT_ONCE) {
      const batches: Promise<void>[] = []
      const end = Math.min(keys.length, at + BATCH_KEYS * BATCHES_AT_ONCE)
      for (let from = at; from < end; from += BATCH_KEYS) {
        batches.push(this.#deleteBatch(keys.slice(from, Math.min(end, from + BATCH_KEYS)), signal))
      }
      // Wait for all before throwing, so that nothing goes on after the call has failed.
      const failed = (await Promise.allSettled(batches)).find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }

  async #deleteOne(key: string, signal: AbortSignal | undefined): Promise<void> {
    const doing = `deleting object '${key}'`
    const { bucket: Bucket } = this.#requests
    await this.#requests.run({ kind: 'delete', doing, signal }, async (client, options) => {
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key: key }), options)
      } catch (error) {
        // S3 doesn't report a missing object here, but some compatible services do.
        if (s3CodeOf(error) !== 'NoSuchKey') throw error
      }
    })
  }

  async #deleteBatch(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const doing = `deleting ${keys.length} objects`
    const call = { kind: 'delete', doing, signal } as const
    const send = (md5: boolean) =>
      this.#requests.run(call, async (client, options) => {
        const objects = keys.map((Key) => ({ Key }))
        // Clients of older SDK releases don't have this setting.
        const { requestChecksumCalculation } = client.config as Partial<S3Client['config']>
        const onlyRequired = (await requestChecksumCalculation?.()) === 'WHEN_REQUIRED'
        const digest = onlyRequired ? 'md5' : md5 ? 'both' : 'crc32'
        try {
          return await client.send(this.#batchCommand(objects, digest, client), options)
        } catch (error) {
          if (md5 || !asksForMd5(error)) throw error
          return undefined
        }
      })
    let reply = await send(this.#wantsMd5)
    if (reply === undefined) {
      this.#wantsMd5 = true
      reply = await send(true)
    }
    const failed = (reply?.Errors ?? []).filter(({ Code }) => Code !== 'NoSuchKey')
    const [first] = failed
    if (first === undefined) return
    // Prefer a failure that retrying doesn't cure: it says more.
    const worst = failed.find(({ Code }) => !meaningOf(Code, undefined).retryable) ?? first
    const { reason, retryable, advice } = meaningOf(worst.Code, undefined)
    throw new S3RequestError(
      `${doing} in bucket '${this.#requests.bucket}' failed for ${failed.length} of them, for object ` +
        `'${worst.Key}' with ${worst.Code ?? 'no reason given'}; ${advice}`,
      { reason, retryable, s3Code: worst.Code },
    )
  }

  /**
   * Builds the command for a batch. The SDK sends a CRC32, which S3 accepts instead of the
   * Content-MD5 that it used to require. Some compatible services still require the Content-MD5,
   * and others don't know CRC32. For the latter, users set checksums to WHEN_REQUIRED; the SDK
   * still sends a CRC32 here, which this replaces by the Content-MD5.
   */
  #batchCommand(
    objects: { Key: string }[],
    digest: 'crc32' | 'md5' | 'both',
    client: S3Client,
  ): DeleteObjectsCommand {
    const Bucket = this.#requests.bucket
    const command = new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects: objects } })
    if (digest !== 'crc32') {
      const { md5: Md5, base64Encoder } = client.config
      command.middlewareStack.add(
        (next) => async (args) => {
          const { body, headers } = args.request as SentRequest
          const hash = new Md5()
          hash.update(new TextEncoder().encode(body))
          headers['content-md5'] = base64Encoder(await hash.digest())
          if (digest === 'md5') {
            for (const name of Object.keys(headers)) if (OF_CRC32.test(name)) delete headers[name]
          }
          return next(args)
        },
        // After the SDK's checksums, before the signature.
        { step: 'finalizeRequest', priority: 'high', name: 'firnContentMd5' },
      )
    }
    return command
  }
}

interface SentRequest {
  body: string
  headers: Record<string, string>
}

const OF_CRC32 = /^x-amz-(checksum-|sdk-checksum-algorithm$)/i

function asksForMd5(error: unknown): boolean {
  const code = s3CodeOf(error)
  if (code === 'MissingContentMD5') return true
  return code === 'InvalidRequest' && /content-md5/i.test((error as Error).message)
}
