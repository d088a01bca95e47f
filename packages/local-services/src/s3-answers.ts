import type { HttpAnswer } from './http-faults.js'

// S3's refusals, as they come over the wire:
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

export const SLOW_DOWN: HttpAnswer = answer(503, 'SlowDown', 'Please reduce your request rate.')

export const INTERNAL_ERROR: HttpAnswer = answer(
  500,
  'InternalError',
  'We encountered an internal error. Please try again.',
)

/** From a server in front of S3, and not in S3's format. */
export const BAD_GATEWAY: HttpAnswer = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: '<html><head><title>502 Bad Gateway</title></head><body><hr></body></html>',
}

/** The server gave up waiting for the request's body. */
export const REQUEST_TIMEOUT: HttpAnswer = answer(
  400,
  'RequestTimeout',
  'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
)

/** Another conditional request for the key was under way; this one may be repeated. */
export const CONDITIONAL_REQUEST_CONFLICT: HttpAnswer = answer(
  409,
  'ConditionalRequestConflict',
  'The conditional request cannot succeed due to a conflicting operation against this resource.',
  '<Condition>If-None-Match</Condition>',
)

export const PRECONDITION_FAILED: HttpAnswer = answer(
  412,
  'PreconditionFailed',
  'At least one of the pre-conditions you specified did not hold',
  '<Condition>If-Match</Condition>',
)

export const NO_SUCH_BUCKET: HttpAnswer = answer(
  404,
  'NoSuchBucket',
  'The specified bucket does not exist',
  '<BucketName>a-bucket</BucketName>',
)

export const NO_SUCH_KEY: HttpAnswer = answer(
  404,
  'NoSuchKey',
  'The specified key does not exist.',
  '<Key>a/key</Key>',
)

export const NO_SUCH_UPLOAD: HttpAnswer = answer(
  404,
  'NoSuchUpload',
  'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  '<UploadId>an-upload</UploadId>',
)

export const ACCESS_DENIED: HttpAnswer = answer(403, 'AccessDenied', 'Access Denied')

export const EXPIRED_TOKEN: HttpAnswer = answer(
  400,
  'ExpiredToken',
  'The provided token has expired.',
  '<Token-0>IQoJb3JpZ2luX2VjEXAMPLETOKEN</Token-0>',
)

export const INVALID_ACCESS_KEY_ID: HttpAnswer = answer(
  403,
  'InvalidAccessKeyId',
  'The AWS Access Key Id you provided does not exist in our records.',
  '<AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId>',
)

export const SIGNATURE_DOES_NOT_MATCH: HttpAnswer = answer(
  403,
  'SignatureDoesNotMatch',
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  '<AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><SignatureProvided>fe5f80f77d5fa3beca038a248ff027</SignatureProvided>',
)

export const REQUEST_TIME_TOO_SKEWED: HttpAnswer = answer(
  403,
  'RequestTimeTooSkewed',
  'The difference between the request time and the current time is too large.',
  '<RequestTime>20200101T000000Z</RequestTime><ServerTime>2026-01-01T00:00:00Z</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>',
)

export const PERMANENT_REDIRECT: HttpAnswer = answer(
  301,
  'PermanentRedirect',
  'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
  '<Endpoint>a-bucket.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>a-bucket</Bucket>',
)

export const AUTHORIZATION_HEADER_MALFORMED: HttpAnswer = answer(
  400,
  'AuthorizationHeaderMalformed',
  "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
  '<Region>eu-west-1</Region>',
)

export const KMS_DISABLED: HttpAnswer = answer(
  400,
  'KMS.DisabledException',
  'arn:aws:kms:us-east-1:123456789012:key/a-key is disabled.',
)

/** Makes an answer with one of S3's codes. `details` are the elements after code and message. */
export function answer(status: number, code: string, message: string, details = ''): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': '4442587FB7D0A2F9' },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>` +
      `${details}<RequestId>4442587FB7D0A2F9</RequestId><HostId>bkq9bxLwUE1hSV2LfE2JD1bY</HostId></Error>`,
  }
}
