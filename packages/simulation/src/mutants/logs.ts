import type { Mutant } from './mutant.js'

/** Bugs in the logs, and in finding and opening a database. */
export const LOGS: readonly Mutant[] = [
  {
    name: 'entry-overwritten',
    bug: 'An entry of an object store’s log is put without a condition.',
    patches: [
      {
        module: 'commit-log/object-commit-log',
        from: 'const options = { ifAbsent: true, signal, urgent: true };',
        to: 'const options = { signal, urgent: true };',
      },
    ],
  },
  {
    name: 'item-overwritten',
    bug: 'An entry of DynamoDB’s log is put on a condition that always holds.',
    patches: [
      {
        module: 'manifest-dynamodb/dynamodb-commit-log',
        from: "const ABSENT = { expression: 'attribute_not_exists(id)' };",
        to: "const ABSENT = { expression: 'attribute_not_exists(token2)' };",
      },
    ],
  },
  {
    name: 'failed-read-ends-log',
    bug: 'An entry that can’t be read right now is taken for the end of the log.',
    patches: [
      {
        module: 'commit-log/object-commit-log',
        from: `return ofVersion(decodeEntryObject(key, bytes), version, key);
          });
        } catch (error) {
          if (isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) return undefined;`,
        to: `return ofVersion(decodeEntryObject(key, bytes), version, key);
          });
        } catch (error) {
          if (isFirnError(error)) return undefined;`,
      },
    ],
  },
  {
    name: 'failed-hedge-ends-log',
    bug: 'If the second request for a late entry fails, the entry counts as missing.',
    patches: [
      {
        module: 'commit-log/object-commit-log',
        from: 'const request = (signal) => this.#readOnce(version, { signal, urgent });',
        to: `let sent = 0;
          const request = (signal) => {
            const number = sent++;
            return this.#readOnce(version, { signal, urgent }).catch((error) => {
              if (number > 0) return undefined;
              throw error;
            });
          };`,
      },
    ],
  },
  {
    name: 'entry-above-hole',
    bug: 'When entries are read in parallel, those after a missing one are returned too.',
    patches: [
      {
        module: 'commit-log/object-commit-log',
        from: 'return entries.slice(0, hole);',
        to: 'return entries.filter((entry) => entry !== undefined);',
      },
    ],
  },
  {
    name: 'entries-out-of-order',
    bug: 'Entries read in parallel are returned in the order in which their reads end.',
    patches: [
      {
        module: 'commit-log/internal/read-ahead',
        from: 'const settled = this.#reads[0]?.settled;',
        to: `this.#reads.sort((a, b) => (a.settled === undefined ? 1 : 0) - (b.settled === undefined ? 1 : 0));
          const settled = this.#reads[0]?.settled;`,
      },
    ],
  },
  {
    name: 'late-append-taken-for-lost',
    bug: 'A late append counts as lost if its entry is looked up and not found.',
    patches: [
      {
        module: 'commit-log/hedged-appends',
        from: 'return found && resultOf(found, entry);',
        to: "return resultOf(found ?? { ...entry, token: '', payload: undefined }, entry);",
      },
    ],
  },
  {
    name: 'late-append-taken-for-done',
    bug: 'A late append counts as done if any entry of its version is found, no matter whose.',
    patches: [
      {
        module: 'commit-log/hedged-appends',
        from: 'return found && resultOf(found, entry);',
        to: 'return found && { appended: true };',
      },
    ],
  },
  {
    name: 'winner-applied-out-of-turn',
    bug: 'The entry that won a race is applied whether or not it and the ones before it have been applied.',
    patches: [
      {
        module: 'engine/internal/view/log-follower',
        from: 'if (entry.version !== versions.state.version + 1 || entry.payload === undefined) return;',
        to: 'if (entry.payload === undefined) return;',
      },
    ],
  },
  {
    name: 'empty-reply-ends-log',
    bug: 'An empty answer of DynamoDB is taken for a page without entries.',
    patches: [
      {
        module: 'manifest-dynamodb/internal/item-table',
        from: 'if (isPage) return page;',
        to: 'return page;',
      },
    ],
  },
  {
    name: 'entry-checksum-unchecked',
    bug: 'An entry’s payload is not checked against its checksum.',
    patches: [
      {
        module: 'commit-log/internal/entry-object',
        from: 'if (crc32(payload, crc32(utf8Encode(key))) !== getU32(bytes, 48)) {',
        to: 'if (payload.length !== length) {',
      },
    ],
  },
  {
    name: 'spill-key-without-token',
    bug: 'Writers that compete for one version store their long payloads under the same name.',
    patches: [
      {
        module: 'commit-log/object-keys',
        from: 'export function spillKey(incarnation, version, token) {',
        to: "export function spillKey(incarnation, version, token) { token = '0';",
      },
    ],
  },
  {
    name: 'spill-deleted-on-doubt',
    bug: 'The object of a long payload is deleted though it is not known whether its entry is in the log.',
    patches: [
      {
        module: 'commit-log/spilling-commit-log',
        from: 'const result = await this.#log.append({ ...entry, payload }, options);',
        to: `const result = await this.#log.append({ ...entry, payload }, options)
          .catch(async (error) => { await this.#store.delete(key); throw error; });`,
      },
    ],
  },
  {
    name: 'spill-checksum-unchecked',
    bug: 'A long payload is identified by its length alone.',
    patches: [
      {
        module: 'commit-log/spilling-commit-log',
        from: 'payload.length === reference.length && checksumOf(payload) === reference.checksum',
        to: 'payload.length === reference.length',
      },
    ],
  },
  {
    name: 'root-overwritten',
    bug: 'A database is created without a condition, so two processes can create two.',
    patches: [
      {
        module: 'manifest/root',
        from: 'encodeRoot({ incarnation, log }), { ifAbsent: true, signal }',
        to: 'encodeRoot({ incarnation, log }), { signal }',
      },
    ],
  },
  {
    name: 'listing-begins-anew',
    bug: 'A list that failed halfway is read again from its beginning.',
    patches: [
      { module: 'object-store/retrying-object-store', from: 'startAfter = info.key;', to: '' },
    ],
  },
  {
    name: 'truncated-past-flush',
    bug: 'The log is truncated up to the checkpoint, including records that no file holds.',
    patches: [
      {
        module: 'engine/internal/maintenance/checkpointer',
        from: 'log.truncate(Math.min(version, state.flushedThrough), { lazy: true });',
        to: 'log.truncate(version, { lazy: true });',
      },
    ],
  },
  {
    name: 'newest-checkpoint-pruned',
    bug: 'The newest checkpoints are deleted, and the old ones kept.',
    patches: [
      {
        module: 'manifest/checkpoint-store',
        from: 'if (++seen > keep)',
        to: 'if (++seen <= keep)',
      },
    ],
  },
  {
    name: 'entries-deleted',
    bug: 'Truncation deletes entries instead of leaving tombstones.',
    patches: [
      {
        module: 'commit-log/file-commit-log',
        from: 'await replaceByTombstones(this.#fs, this.#directory, entries, this.#env);',
        to: 'this.#fs.removeSync(path);',
      },
    ],
  },
]
