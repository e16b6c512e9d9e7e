-- The keys of masking with their versions, each sealed under a key that follows from the master key, which is never in
-- the database. Both tables are covered by the audit log's row digests. What an erasure took out of the token vault
-- stays as a tombstone: a token says that its value was erased, and nothing of the value is left.

CREATE TABLE key_rings (             -- one row, "masking"
  id TEXT PRIMARY KEY,
  master_check TEXT NOT NULL,        -- tells another master key; not secret
  derived_check TEXT NOT NULL,       -- of the master key that keys of origin "derived" follow from; empty: none do
  created_at INTEGER NOT NULL
);

CREATE TABLE mask_keys (
  id TEXT PRIMARY KEY,               -- "research.1"
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,               -- active: new values; retired: read only; destroyed: never again
  origin TEXT NOT NULL,              -- random, or derived: as it was before there was a ring
  purpose TEXT NOT NULL,
  check_digits TEXT NOT NULL,        -- tells two keys apart; not secret
  sealed BLOB,                       -- AES-256-GCM, bound to name and version; NULL once destroyed
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  reason TEXT NOT NULL,              -- of the last change
  UNIQUE (name, version)
);
CREATE UNIQUE INDEX mask_keys_now ON mask_keys (name) WHERE state = 'active';

CREATE TABLE vault_erased (
  context TEXT NOT NULL,
  token TEXT NOT NULL,
  erasure_id TEXT NOT NULL REFERENCES erasures (id),
  erased_at INTEGER NOT NULL,
  PRIMARY KEY (context, token)
) WITHOUT ROWID;
