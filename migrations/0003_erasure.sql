-- Erasing people: which columns hold their ids, what was planned, who agreed, what became of each version. All tables
-- are covered by the audit log's row digests. No id of a person is ever here, only fingerprints under the server's
-- erasure key (docs/adr/0013-erasure.md).

CREATE TABLE subject_keys (          -- the rows in force have valid_to NULL
  id TEXT PRIMARY KEY,
  artifact_id TEXT NOT NULL REFERENCES artifacts (id),
  column_name TEXT NOT NULL,
  name_space TEXT NOT NULL,          -- whose ids these are: equal ids of one name space are one person
  set_by TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
);
CREATE UNIQUE INDEX subject_keys_now ON subject_keys (artifact_id, column_name) WHERE valid_to IS NULL;

CREATE TABLE erasures (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,               -- open, rejected, stale, applying, done
  digest TEXT NOT NULL,              -- of the plan; approvals sign it
  body TEXT NOT NULL,                -- JSON: fingerprints, what each version needs, known backups
  reason TEXT NOT NULL,
  requested_by TEXT NOT NULL,        -- principal id
  requested_by_name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  approvals_needed INTEGER NOT NULL,
  applied_by TEXT,
  started_at INTEGER,
  finished_at INTEGER,
  receipt TEXT                       -- JSON, with its digest and seal
);
CREATE INDEX erasures_by_state ON erasures (state);

CREATE TABLE erasure_approvals (
  id TEXT PRIMARY KEY,
  erasure_id TEXT NOT NULL REFERENCES erasures (id),
  erasure_digest TEXT NOT NULL,
  principal_id TEXT NOT NULL REFERENCES principals (id),
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (erasure_id, principal_id)
);

CREATE TABLE erasure_items (         -- one a version, from the start of the application on
  id TEXT PRIMARY KEY,
  erasure_id TEXT NOT NULL REFERENCES erasures (id),
  position INTEGER NOT NULL,
  version_id TEXT NOT NULL REFERENCES versions (id),
  action TEXT NOT NULL,              -- rewrite, remask, shred, decide, keep
  state TEXT NOT NULL,               -- pending, done, kept; of decide: undecided, retrained, assessed, accepted
  replacement_id TEXT REFERENCES versions (id),
  detail TEXT NOT NULL,              -- JSON: digests before and after, counts; of a decision: what was said
  settled_by TEXT,
  settled_at INTEGER,
  UNIQUE (erasure_id, version_id)
);
CREATE INDEX erasure_items_by_version ON erasure_items (version_id);

CREATE TABLE erased_files (          -- bytes that must not come back
  id TEXT PRIMARY KEY,               -- SHA-256 of the file, hex
  erasure_id TEXT NOT NULL REFERENCES erasures (id),
  erased_at INTEGER NOT NULL
);
