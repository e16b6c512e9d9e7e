-- Receivers of events. The audit log is the outbox: every change is one numbered entry in the transaction of the change,
-- so nothing more is written when something changes, and nothing can be lost between the two (docs/adr/0018).

CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  mode TEXT NOT NULL,                -- structured, binary (CloudEvents 1.0 over HTTP)
  events TEXT NOT NULL,              -- patterns of actions, space-separated: "release.* plan.approve"
  subject TEXT NOT NULL,             -- only events of this subject; empty: all
  environment TEXT NOT NULL,         -- only events of this environment; empty: all
  state TEXT NOT NULL,               -- active, paused (by somebody), disabled (the receiver said so: 410)
  secret BLOB NOT NULL,              -- AES-256-GCM under a key of the ring, bound to the webhook
  secret_key TEXT NOT NULL,          -- that key's id
  old_secret BLOB,                   -- signs too until old_secret_until, so that a receiver can change over
  old_secret_key TEXT NOT NULL,
  old_secret_until INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL
);

-- What delivery remembers of itself, written by the sender alone and not covered by the audit log: lost or set back, it
-- only makes events arrive a second time.
CREATE TABLE webhook_progress (
  webhook_id TEXT PRIMARY KEY REFERENCES webhooks (id),
  cursor INTEGER NOT NULL,           -- entries up to here are delivered, not wanted, or in webhook_held
  delivered INTEGER NOT NULL,
  failed INTEGER NOT NULL,           -- attempts
  resting_until INTEGER NOT NULL,    -- the receiver as a whole did not answer: nothing is sent before
  last_status INTEGER NOT NULL,      -- of HTTP; 0: there was no answer
  last_error TEXT NOT NULL,          -- a slug; empty: the last attempt was delivered
  last_attempt_at INTEGER NOT NULL,
  last_delivered_at INTEGER NOT NULL
);

CREATE TABLE webhook_held (          -- events behind the cursor that are not delivered
  webhook_id TEXT NOT NULL REFERENCES webhooks (id),
  seq INTEGER NOT NULL,              -- of the audit entry
  subject TEXT NOT NULL,             -- the lane: in it, only the first held event is sent
  state TEXT NOT NULL,               -- held: will be sent; dead: was given up
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  last_status INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (webhook_id, seq)
) WITHOUT ROWID;
CREATE INDEX webhook_held_lanes ON webhook_held (webhook_id, state, subject, seq);
CREATE INDEX webhook_held_due ON webhook_held (webhook_id, state, next_attempt_at);
