-- What keeps the bytes of deleted versions, and what collections took away. All three tables are covered by the audit
-- log's row digests. A version that is not deleted keeps its bytes without any row here.

CREATE TABLE holds (                 -- legal holds; a released one stays as a row
  id TEXT PRIMARY KEY,
  version_id TEXT NOT NULL REFERENCES versions (id),
  case_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  placed_by TEXT NOT NULL,
  released_at INTEGER,
  released_by TEXT,
  released_reason TEXT
);
CREATE UNIQUE INDEX holds_now ON holds (version_id, case_id) WHERE released_at IS NULL;
CREATE INDEX holds_by_version ON holds (version_id);

CREATE TABLE retention_rules (       -- the rule in force is the one with valid_to NULL
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,             -- kind:model, kind:dataset: from deletion; env:<name>: from its last deployment's end
  keep_s INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
);
CREATE UNIQUE INDEX retention_rules_now ON retention_rules (subject) WHERE valid_to IS NULL;

CREATE TABLE gc_runs (
  id TEXT PRIMARY KEY,               -- also the end of its directory's name below trash/
  state TEXT NOT NULL,               -- started, done, failed
  reason TEXT NOT NULL,
  started_by TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  trash TEXT NOT NULL,               -- directory below trash/; empty: nothing was moved there
  receipt TEXT NOT NULL,             -- JSON: counts, bytes, packs, digest over the removed keys, versions that lost bytes
  restored_at INTEGER,
  swept_at INTEGER
);

CREATE INDEX versions_deleted ON versions (deleted_at) WHERE deleted_at IS NOT NULL;
