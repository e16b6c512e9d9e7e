-- Promotion as a controlled change: people's signing keys, signed approvals, named releases, break-glass reviews,
-- releases that were rolled back from, and answers to requests that are sent twice.

CREATE TABLE signing_keys (          -- the public halves; a key belongs to one principal for good
  id TEXT PRIMARY KEY,               -- "ed25519:" and 32 hex digits of the SHA-256 of the key
  principal_id TEXT NOT NULL REFERENCES principals (id),
  name TEXT NOT NULL,                -- "laptop"
  public_key TEXT NOT NULL,          -- base64 of 32 bytes
  created_at INTEGER NOT NULL,
  expires_at INTEGER,                -- NULL: never
  revoked_at INTEGER,
  revoked_reason TEXT
);
CREATE INDEX signing_keys_by_principal ON signing_keys (principal_id);

CREATE TABLE approval_statements (   -- what an approver said and signed; one an approval
  id TEXT PRIMARY KEY REFERENCES approvals (id),
  meaning TEXT NOT NULL,             -- "clinically reviewed"; may be empty
  statement TEXT NOT NULL,           -- exactly the bytes that were signed; empty: not signed
  key_id TEXT REFERENCES signing_keys (id),
  signature TEXT NOT NULL            -- base64; empty: not signed
);

CREATE TABLE release_parts (         -- the role of a member in a named release: model, preprocessing, thresholds …
  id TEXT PRIMARY KEY REFERENCES release_members (id),
  role TEXT NOT NULL
);

CREATE TABLE release_policies (      -- policies a named release brings along, at a revision
  id TEXT PRIMARY KEY,
  release_id TEXT NOT NULL REFERENCES releases (id),
  policy_revision_id TEXT NOT NULL REFERENCES policies (id),
  UNIQUE (release_id, policy_revision_id)
);

CREATE TABLE break_glass_reviews (
  id TEXT PRIMARY KEY,               -- of the deployment
  environment TEXT NOT NULL,
  plan_id TEXT NOT NULL REFERENCES plans (id),
  opened_by TEXT NOT NULL,           -- principal id
  overridden TEXT NOT NULL,          -- JSON list: ids of the gates that did not hold
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  reviewed_at INTEGER,
  reviewed_by TEXT,                  -- principal name
  outcome TEXT,                      -- justified, unjustified
  note TEXT
);
CREATE INDEX break_glass_open ON break_glass_reviews (environment) WHERE reviewed_at IS NULL;

CREATE TABLE rejected_releases (     -- what an environment was rolled back from
  id TEXT PRIMARY KEY,
  environment TEXT NOT NULL,
  release_id TEXT NOT NULL REFERENCES releases (id),
  deployment_id TEXT NOT NULL REFERENCES deployments (id),
  reason TEXT NOT NULL,
  rejected_by TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER                   -- when it was promoted again, saying so
);
CREATE UNIQUE INDEX rejected_releases_now ON rejected_releases (environment, release_id) WHERE valid_to IS NULL;

-- What a request with a key of idempotency led to. Not state of its own: the rows it names are audited.
CREATE TABLE idempotency (
  principal_id TEXT NOT NULL,
  key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  deployment_id TEXT NOT NULL,       -- empty: the request made a plan only
  created_at INTEGER NOT NULL,
  PRIMARY KEY (principal_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (created_at);
