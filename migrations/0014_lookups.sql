-- Looked up on the way of a promotion: the rollout a plan belongs to, and the deployments a plan has led to.

CREATE INDEX rollout_steps_by_plan ON rollout_steps (plan_id);
CREATE INDEX deployments_by_plan ON deployments (plan_id);
