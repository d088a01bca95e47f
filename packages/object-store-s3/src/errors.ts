import { FirnError, type FirnErrorOptions } from '@firn/env'
import { ObjectStoreError, type ObjectStoreErrorOptions } from '@firn/object-store'

export interface S3RequestErrorOptions extends ObjectStoreErrorOptions {
  s3Code?: string | undefined
  status?: number | undefined
  requestId?: string | undefined
}

/** A request failed. `reason` and `retryable` classify the failure; the rest is S3's answer. */
export class S3RequestError extends ObjectStoreError {
  /** S3's own code, such as 'SlowDown', if the answer had one. */
  readonly s3Code: string | undefined
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined
  /** S3's id of the request, which the operator of the service asks for. */
  readonly requestId: string | undefined

  constructor(message: string, options: S3RequestErrorOptions) {
    super(message, options)
    this.s3Code = options.s3Code
    this.status = options.status
    this.requestId = options.requestId
  }
}

/** The bucket doesn't exist, or not in this account's partition. Nothing was done. */
export class BucketNotFoundError extends FirnError {
  readonly bucket: string

  constructor(bucket: string, options?: FirnErrorOptions) {
    super(
      'FIRN_S3_BUCKET_NOT_FOUND',
      `there is no bucket '${bucket}' at this endpoint; check its name and the endpoint, or create it`,
      { maybeDone: false, ...options },
    )
    this.bucket = bucket
  }
}

/** Credentials are missing, or the service doesn't accept them. Nothing was done. */
export class S3CredentialsError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_S3_CREDENTIALS', message, { maybeDone: false, ...options })
  }
}

/** The region, the endpoint or another setting of the client is wrong. Nothing was done. */
export class S3ConfigurationError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_S3_CONFIGURATION', message, { maybeDone: false, ...options })
  }
}
