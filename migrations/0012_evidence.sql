-- Evidence that gates ask for: signatures over versions, the schemas they declare, what a scan at registration found,
-- and what was measured of datasets.

CREATE TABLE version_signatures (
  id TEXT PRIMARY KEY,
  version_id TEXT NOT NULL REFERENCES versions (id),
  key_id TEXT NOT NULL REFERENCES signing_keys (id),
  principal_id TEXT NOT NULL REFERENCES principals (id),
  roles TEXT NOT NULL,               -- of who signed, then; separated by blanks
  statement TEXT NOT NULL,           -- exactly the bytes that were signed
  signature TEXT NOT NULL,           -- base64 of 64 bytes
  created_at INTEGER NOT NULL,
  UNIQUE (version_id, key_id)
);

CREATE TABLE version_schemas (
  id TEXT PRIMARY KEY REFERENCES versions (id),
  schemas TEXT NOT NULL,             -- canonical JSON: {"input": {"columns": […]}, "output": …}
  created_at INTEGER NOT NULL
);

CREATE TABLE version_scans (         -- the sample scan of a dataset that was registered
  id TEXT PRIMARY KEY REFERENCES versions (id),
  findings INTEGER NOT NULL,         -- classes that identify people
  scan TEXT NOT NULL                 -- JSON: how much was looked at, and the classes
);

CREATE TABLE profiles (              -- what was measured, once; the same bytes and measures give the same again
  id TEXT PRIMARY KEY,               -- SHA-256 of what was measured of which bytes
  version_id TEXT NOT NULL REFERENCES versions (id),
  kind TEXT NOT NULL,                -- quality, independence
  result TEXT NOT NULL,              -- JSON, counts only
  created_at INTEGER NOT NULL
);
CREATE INDEX profiles_by_version ON profiles (version_id);
