export {
  type Fetch,
  HttpObjectStore,
  type HttpObjectStoreOptions,
} from './internal/http/http-object-store.js'
