export { createBucket, createTable } from './create.js'
export {
  type DynamoDbKind,
  findDynamoDb,
  HOW_TO_GET_DYNAMODB,
  type LocalDynamoDb,
  type StartDynamoDbOptions,
  startDynamoDb,
} from './dynamodb.js'
export * as dynamoDbAnswers from './dynamodb-answers.js'
export { type FaultProxy, type ProxiedRequest, startFaultProxy } from './fault-proxy.js'
export {
  CUT_REPLY,
  denied,
  HANG,
  type HttpAnswer,
  type HttpFault,
  LOST_REPLY,
  LOST_REQUEST,
  late,
  randomFault,
  refused,
  SILENT_SUCCESS,
  TWICE,
} from './http-faults.js'
export {
  CEPH_DEBIAN_PACKAGES,
  findS3,
  HOW_TO_GET_S3,
  type LocalS3,
  type S3Kind,
  type StartS3Options,
  startS3,
} from './s3.js'
export * as s3Answers from './s3-answers.js'
