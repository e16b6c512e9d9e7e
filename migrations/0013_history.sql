-- Time travel at any size, and two times: when something ran, and since when we know it.

CREATE TABLE deployment_lines (      -- derived from deployments: what ever ran where under which name
  environment TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  running_id TEXT,                   -- the deployment that runs; NULL: none
  PRIMARY KEY (environment, name, kind)
) WITHOUT ROWID;
INSERT INTO deployment_lines (environment, name, kind, running_id)
  SELECT environment, name, kind, MAX(CASE WHEN valid_to IS NULL THEN id END) FROM deployments
  GROUP BY environment, name, kind;

-- A row of deployments is what is believed now. What was believed before a correction stays here with the time it was
-- believed in, [known_from, known_to).
CREATE TABLE deployment_beliefs (
  id TEXT PRIMARY KEY,
  deployment_id TEXT NOT NULL REFERENCES deployments (id),
  valid_from INTEGER NOT NULL,
  valid_to INTEGER,
  known_from INTEGER NOT NULL,
  known_to INTEGER NOT NULL,
  corrected_by TEXT NOT NULL,        -- who ended this belief, and why
  reason TEXT NOT NULL
);
CREATE INDEX deployment_beliefs_by_deployment ON deployment_beliefs (deployment_id, known_to);
