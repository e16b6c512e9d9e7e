-- Decision records: the facts each plan, promotion, rollback and refusal was decided on, so that a decision can be shown
-- again years later, byte for byte, and a new policy can be run over every decision of the past.

CREATE TABLE decisions (
  id TEXT PRIMARY KEY,
  plan_id TEXT NOT NULL REFERENCES plans (id),
  occasion TEXT NOT NULL,            -- plan, promote, rollback, refuse
  environment TEXT NOT NULL,
  target TEXT NOT NULL,              -- the release's namesake, "hospital/readmission@v3"
  verdict TEXT NOT NULL,
  facts_digest TEXT NOT NULL,        -- SHA-256 of facts
  record_digest TEXT NOT NULL,       -- SHA-256 of the record that the facts and policies give
  policies TEXT NOT NULL,            -- JSON: revisions and digests, in the order they were evaluated
  facts TEXT NOT NULL,               -- canonical JSON
  decided_at INTEGER NOT NULL
);
CREATE INDEX decisions_by_plan ON decisions (plan_id);
CREATE INDEX decisions_by_time ON decisions (environment, decided_at);
