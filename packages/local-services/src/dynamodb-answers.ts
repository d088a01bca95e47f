import type { HttpAnswer } from './http-faults.js'

// DynamoDB's refusals, as they come over the wire.

/** One request more than the table, or one of its partitions, can do at the moment. */
export const THROUGHPUT_EXCEEDED: HttpAnswer = answer(
  400,
  'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  'The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.',
)

/**
 * More requests than the table has been scaled to, or more control operations than are accepted.
 */
export const THROTTLED: HttpAnswer = answer(
  400,
  'com.amazon.coral.availability#ThrottlingException',
  'Rate of requests exceeds the allowed throughput.',
)

/** More requests than the account may make. */
export const REQUEST_LIMIT_EXCEEDED: HttpAnswer = answer(
  400,
  'com.amazonaws.dynamodb.v20120810#RequestLimitExceeded',
  'Throughput exceeds the current throughput limit for your account.',
)

export const INTERNAL_SERVER_ERROR: HttpAnswer = answer(
  500,
  'com.amazonaws.dynamodb.v20120810#InternalServerError',
  'The request processing has failed because of an unknown error, exception or failure.',
)

/** From a server in front of DynamoDB, and not in DynamoDB's format. */
export const SERVICE_UNAVAILABLE: HttpAnswer = {
  status: 503,
  headers: { 'content-type': 'text/html' },
  body: '<html><body><b>Http/1.1 Service Unavailable</b></body> </html>',
}

export const ACCESS_DENIED: HttpAnswer = answer(
  400,
  'com.amazon.coral.service#AccessDeniedException',
  'User: arn:aws:iam::123456789012:user/someone is not authorized to perform: dynamodb:PutItem',
)

export const UNRECOGNIZED_CLIENT: HttpAnswer = answer(
  400,
  'com.amazon.coral.service#UnrecognizedClientException',
  'The security token included in the request is invalid.',
)

export const EXPIRED_TOKEN: HttpAnswer = answer(
  400,
  'com.amazon.coral.service#ExpiredTokenException',
  'The security token included in the request is expired',
)

export const INVALID_SIGNATURE: HttpAnswer = answer(
  400,
  'com.amazon.coral.service#InvalidSignatureException',
  'The request signature we calculated does not match the signature you provided.',
)

function answer(status: number, type: string, message: string): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ __type: type, message }),
  }
}
