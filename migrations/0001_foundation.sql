-- Every table whose rows are state has a TEXT primary key `id` and is covered by the audit log's row digests
-- (docs/format/audit.md). Times are microseconds since the Unix epoch, UTC. Intervals are [from, to), to NULL: open.

CREATE TABLE principals (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  is_human INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  principal_id TEXT NOT NULL REFERENCES principals (id),
  name TEXT NOT NULL,
  mac TEXT NOT NULL UNIQUE,          -- HMAC-SHA-256 of the secret under the server's token key, hex
  role TEXT NOT NULL,
  scopes TEXT NOT NULL,              -- space-separated words
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
);

CREATE TABLE artifacts (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  last_number INTEGER NOT NULL,      -- of the newest version, deleted ones included
  created_at INTEGER NOT NULL,
  UNIQUE (name, kind)
);

CREATE TABLE manifests (             -- content-addressed: a row proves itself
  digest TEXT PRIMARY KEY,           -- hex
  body TEXT NOT NULL
);

CREATE TABLE versions (
  id TEXT PRIMARY KEY,
  artifact_id TEXT NOT NULL REFERENCES artifacts (id),
  number INTEGER NOT NULL,
  digest TEXT NOT NULL REFERENCES manifests (digest),
  size_bytes INTEGER NOT NULL,
  file_count INTEGER NOT NULL,
  own_sensitivity TEXT NOT NULL,
  sensitivity TEXT NOT NULL,
  sensitivity_assumed INTEGER NOT NULL,
  params TEXT NOT NULL,              -- JSON object
  metrics TEXT NOT NULL,             -- JSON object
  description TEXT NOT NULL,
  git TEXT,                          -- JSON object or NULL
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  deprecated_reason TEXT,
  deleted_at INTEGER,
  deleted_reason TEXT,
  UNIQUE (artifact_id, number)
);
-- One live version per content; a tombstone does not stop the same bytes from being registered again.
CREATE UNIQUE INDEX versions_by_content ON versions (artifact_id, digest) WHERE deleted_at IS NULL;
CREATE INDEX versions_by_digest ON versions (digest);
CREATE INDEX versions_by_time ON versions (created_at);

CREATE TABLE content_labels (        -- derived: the highest sensitivity any version gives a file's bytes
  digest TEXT PRIMARY KEY,           -- of the file, hex
  sensitivity TEXT NOT NULL
);

CREATE TABLE version_labels (
  id TEXT PRIMARY KEY,
  version_id TEXT NOT NULL REFERENCES versions (id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
);
CREATE INDEX version_labels_by_version ON version_labels (version_id);
CREATE INDEX version_labels_by_word ON version_labels (name, value);
CREATE UNIQUE INDEX version_labels_now ON version_labels (version_id, name) WHERE valid_to IS NULL;

CREATE TABLE aliases (
  id TEXT PRIMARY KEY,
  artifact_id TEXT NOT NULL REFERENCES artifacts (id),
  alias TEXT NOT NULL,
  version_id TEXT NOT NULL REFERENCES versions (id),
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
);
CREATE UNIQUE INDEX aliases_now ON aliases (artifact_id, alias) WHERE valid_to IS NULL;
CREATE INDEX aliases_by_artifact ON aliases (artifact_id, alias);
CREATE INDEX aliases_by_version ON aliases (version_id);

CREATE TABLE masking_runs (
  id TEXT PRIMARY KEY,
  source_version_id TEXT NOT NULL REFERENCES versions (id),
  output_version_id TEXT NOT NULL REFERENCES versions (id),
  policy_revision_id TEXT NOT NULL,
  evidence TEXT NOT NULL,            -- JSON: rows, columns with transforms and counts, residual scan; never a value
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL
);
CREATE INDEX masking_runs_by_source ON masking_runs (source_version_id);
CREATE INDEX masking_runs_by_output ON masking_runs (output_version_id);

CREATE TABLE edges (                 -- from cause to effect: a version made with another one
  id TEXT PRIMARY KEY,
  from_version_id TEXT NOT NULL REFERENCES versions (id),
  to_version_id TEXT NOT NULL REFERENCES versions (id),
  role TEXT NOT NULL,                -- train, test, base, …, masked
  valid_from INTEGER NOT NULL,       -- when it was true
  recorded_at INTEGER NOT NULL       -- when we were told
);
CREATE UNIQUE INDEX edges_forward ON edges (from_version_id, to_version_id, role);
CREATE INDEX edges_backward ON edges (to_version_id);

CREATE TABLE environments (          -- a row per revision
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  digest TEXT NOT NULL,
  body TEXT NOT NULL,                -- canonical JSON
  applied_by TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER,
  UNIQUE (name, revision)
);
CREATE UNIQUE INDEX environments_now ON environments (name) WHERE valid_to IS NULL;

CREATE TABLE policies (              -- a row per revision
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  digest TEXT NOT NULL,
  origin TEXT NOT NULL,
  body TEXT NOT NULL,                -- the YAML as applied
  applied_by TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER,
  UNIQUE (name, revision)
);
CREATE UNIQUE INDEX policies_now ON policies (name) WHERE valid_to IS NULL;

CREATE TABLE releases (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,                -- of the first member
  number INTEGER NOT NULL,
  digest TEXT NOT NULL,              -- over the members' digests
  created_at INTEGER NOT NULL,
  UNIQUE (name, kind, number),
  UNIQUE (name, kind, digest)
);

CREATE TABLE release_members (
  id TEXT PRIMARY KEY,
  release_id TEXT NOT NULL REFERENCES releases (id),
  position INTEGER NOT NULL,
  version_id TEXT NOT NULL REFERENCES versions (id),
  UNIQUE (release_id, position)
);
CREATE INDEX release_members_by_version ON release_members (version_id);

CREATE TABLE plans (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  environment TEXT NOT NULL,
  body TEXT NOT NULL,                -- JSON: what is pinned and each gate's verdict
  requested_by TEXT NOT NULL,        -- principal id
  created_at INTEGER NOT NULL
);
CREATE INDEX plans_by_digest ON plans (digest);
CREATE INDEX plans_by_state ON plans (state, environment);

CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  plan_id TEXT NOT NULL REFERENCES plans (id),
  plan_digest TEXT NOT NULL,
  principal_id TEXT NOT NULL REFERENCES principals (id),
  roles TEXT NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (plan_id, principal_id)
);

CREATE TABLE deployments (
  id TEXT PRIMARY KEY,
  environment TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  release_id TEXT NOT NULL REFERENCES releases (id),
  plan_id TEXT NOT NULL REFERENCES plans (id),
  action TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_by TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER,
  recorded_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX deployments_now ON deployments (environment, name, kind) WHERE valid_to IS NULL;
CREATE INDEX deployments_by_release ON deployments (release_id);
CREATE INDEX deployments_by_time ON deployments (environment, name, kind, valid_from);

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,                -- SHA-256 of body, hex
  body TEXT NOT NULL                 -- canonical JSON; holds the hash of the entry before
);
CREATE TABLE audit_index (           -- derived from audit, can be dropped and rebuilt
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL
);
CREATE INDEX audit_index_by_target ON audit_index (target);
