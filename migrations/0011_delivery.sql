-- How far the releases that environments run have come to the directories those environments name.
--
-- Bookkeeping, not state of its own and outside of the audit log: what should be where follows from deployments and
-- environments, what is there from the directories; a lost row is found out again.

CREATE TABLE deliveries (
  deployment_id TEXT PRIMARY KEY REFERENCES deployments (id),
  environment TEXT NOT NULL,
  place TEXT NOT NULL,               -- ROOT/PATH/NAME
  state TEXT NOT NULL,               -- delivered, failed, drifted; no row: pending
  attempts INTEGER NOT NULL,         -- that failed since it last went well
  error TEXT NOT NULL,               -- slug; empty: none
  message TEXT NOT NULL,
  since INTEGER NOT NULL,            -- of the state
  next_attempt_at INTEGER,           -- failed: not before
  delivered_at INTEGER,              -- the first time
  verified_at INTEGER                -- the last time its files were read back and compared
) WITHOUT ROWID;
