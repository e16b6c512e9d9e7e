-- Git: where policies and environments come from, what is committed for whom, and what is known about commits.
--
-- Sources, their plans and approvals, what they own and where revisions came from are state: covered by the audit log's
-- row digests. The other three tables are bookkeeping that is made again from the configuration (git_repositories), from
-- the mirrors (code_facts) or tells how often a delivery was tried (gitops_outbox; what is to be delivered stands in
-- deployments, and each delivery is an audit entry).

CREATE TABLE policy_sources (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  repository TEXT NOT NULL,          -- as the configuration names it
  branch TEXT NOT NULL,
  policies_path TEXT NOT NULL,       -- folder; empty: no policies
  environments_path TEXT NOT NULL,   -- file; empty: no environments
  approvals_needed INTEGER NOT NULL,
  pinned_commit TEXT NOT NULL,       -- applied last; empty: none yet
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  applied_at INTEGER,
  applied_by TEXT NOT NULL,
  removed_at INTEGER
);
CREATE UNIQUE INDEX policy_sources_now ON policy_sources (name) WHERE removed_at IS NULL;

CREATE TABLE source_items (          -- what a source owns, as of its pinned commit
  id TEXT PRIMARY KEY,
  source_id TEXT NOT NULL REFERENCES policy_sources (id),
  kind TEXT NOT NULL,                -- policy, environment
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  UNIQUE (kind, name)
);
CREATE INDEX source_items_by_source ON source_items (source_id);

CREATE TABLE source_plans (
  id TEXT PRIMARY KEY,
  source_id TEXT NOT NULL REFERENCES policy_sources (id),
  digest TEXT NOT NULL,              -- over source, both commits and the changes
  state TEXT NOT NULL,               -- open, applied, stale
  base_commit TEXT NOT NULL,         -- pinned when it was made; empty: none
  target_commit TEXT NOT NULL,
  body TEXT NOT NULL,                -- JSON: changes, flips, keyed hashes of the commits' authors
  reason TEXT NOT NULL,
  requested_by_id TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  applied_at INTEGER
);
CREATE INDEX source_plans_by_source ON source_plans (source_id, created_at);

CREATE TABLE source_approvals (
  id TEXT PRIMARY KEY,
  plan_id TEXT NOT NULL REFERENCES source_plans (id),
  plan_digest TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  principal TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (plan_id, principal_id)
);

CREATE TABLE revision_sources (      -- of a policy's or an environment's revision that came from a source
  id TEXT PRIMARY KEY,               -- the revision's
  source_id TEXT NOT NULL REFERENCES policy_sources (id),
  source TEXT NOT NULL,              -- its name then
  repository TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  path TEXT NOT NULL
);

CREATE TABLE git_repositories (      -- the configuration at the last start
  name TEXT PRIMARY KEY,
  url_key TEXT NOT NULL,             -- the same for every spelling of the URL
  branch TEXT NOT NULL,
  uses TEXT NOT NULL                 -- space-separated words
) WITHOUT ROWID;

CREATE TABLE code_facts (
  url_key TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  state TEXT NOT NULL,               -- found, missing, unreachable
  branches TEXT NOT NULL,            -- JSON array: those that contain it
  seen_at INTEGER NOT NULL,          -- when the repository was asked
  PRIMARY KEY (url_key, commit_id)
) WITHOUT ROWID;

CREATE TABLE gitops_outbox (
  seq INTEGER PRIMARY KEY,
  deployment_id TEXT NOT NULL UNIQUE,
  environment TEXT NOT NULL,
  repository TEXT NOT NULL,
  path TEXT NOT NULL,
  renderer TEXT NOT NULL,
  state TEXT NOT NULL,               -- pending, done, failed
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  commit_id TEXT NOT NULL,           -- the last one made for it, pushed or not
  problem TEXT NOT NULL,             -- why it is not done
  changed_at INTEGER NOT NULL
);
CREATE INDEX gitops_outbox_open ON gitops_outbox (repository, seq) WHERE state = 'pending';
