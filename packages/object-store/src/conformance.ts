export {
  type ConformanceOptions,
  type ConformanceSubject,
  objectStoreConformance,
} from './internal/conformance/conformance.js'
