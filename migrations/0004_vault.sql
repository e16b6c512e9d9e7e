-- Random tokens and the values they stand for, sealed under a masking key that is not in the database. No personal data
-- is readable here. Rows are added in bulk by masking runs; an audit entry counts them, their digests are not in the log.

CREATE TABLE vault_tokens (
  context TEXT NOT NULL,             -- dataset, newline, column; shorter for wider scopes
  token TEXT NOT NULL,
  fingerprint BLOB NOT NULL,         -- HMAC of the value under a key of the context
  key_id TEXT NOT NULL,              -- "research.1": of fingerprint and seal
  sealed BLOB NOT NULL,              -- AES-256-GCM, bound to context and token
  created_at INTEGER NOT NULL,
  PRIMARY KEY (context, token)
) WITHOUT ROWID;
CREATE UNIQUE INDEX vault_tokens_by_value ON vault_tokens (context, fingerprint);
