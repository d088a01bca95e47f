export {
  BucketNotFoundError,
  S3ConfigurationError,
  S3CredentialsError,
  S3RequestError,
  type S3RequestErrorOptions,
} from './errors.js'
export { S3ObjectStore, type S3ObjectStoreOptions } from './s3-object-store.js'
export type { S3Request, S3RequestKind } from './s3-request.js'
