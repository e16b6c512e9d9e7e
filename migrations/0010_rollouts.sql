-- Promotions to several environments in waves. Both tables are covered by the audit log's row digests. A step is an
-- ordinary plan and its promotion; which plan it made stands in the row before that plan is executed, so that a step
-- that was interrupted is recognised and never executed twice.

CREATE TABLE rollouts (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,               -- running, paused, rolling_back, stopped, done
  state_reason TEXT NOT NULL,        -- why it is paused or stopped
  selector TEXT NOT NULL,
  refs TEXT NOT NULL,                -- JSON list: exact versions; the first is the release's namesake
  reason TEXT NOT NULL,
  waves INTEGER NOT NULL,
  pause_s INTEGER NOT NULL,          -- between waves; -1: until somebody continues
  on_failure TEXT NOT NULL,          -- stop, rollback
  token_id TEXT NOT NULL,            -- it acts with the rights this token has at each step
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  resume_at INTEGER                  -- of a pause that ends by itself
);
CREATE INDEX rollouts_by_state ON rollouts (state);

CREATE TABLE rollout_steps (
  id TEXT PRIMARY KEY,
  rollout_id TEXT NOT NULL REFERENCES rollouts (id),
  position INTEGER NOT NULL,
  wave INTEGER NOT NULL,             -- from 1
  environment TEXT NOT NULL,
  state TEXT NOT NULL,               -- waiting, planned, done, unchanged, failed, skipped, rolled_back, not_rolled_back
  plan_id TEXT NOT NULL,             -- empty until planned
  deployment_id TEXT NOT NULL,       -- of done: what it started
  detail TEXT NOT NULL,              -- of failed and not_rolled_back: why
  changed_at INTEGER NOT NULL,
  UNIQUE (rollout_id, position)
);
