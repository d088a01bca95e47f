export type {
  Fault,
  FaultCall,
  FaultKind,
  FaultOperation,
  FaultSchedule,
} from './internal/testing/fault.js'
export {
  FAULT_KINDS,
  type PlannedFault,
  plannedFaults,
  seededFaults,
} from './internal/testing/fault.js'
export { type FaultCounts, FaultyObjectStore } from './internal/testing/faulty-object-store.js'
